"""What a picture file says about itself, looked at before a decoder believes it.

A file of a hundred bytes can declare a picture of gigabytes. Here the declared size is compared
with what the file could hold.
"""

import logging

from tddfa.errors import InputError
from tddfa.io.animation import is_animation
from tddfa.io.boxes import boxes, full_box
from tddfa.io.foreign import foreign_format
from tddfa.io.jpeg import JPEG_MAGIC, jpeg_segments
from tddfa.io.orientation import primary_properties
from tddfa.io.png import PNG_MAGIC, png_can_hold, png_is_whole, png_size
from tddfa.io.tiff import HEIGHT, WIDTH, tiff_number

logger = logging.getLogger(__name__)

# Larger pictures are refused whatever the file's size: 1 GiB as BGRA.
MAX_PIXELS = 1 << 28
# Up to this a picture may be as empty as it likes; beyond, each byte of the file may stand for so
# many pixels (a white PNG: 8256 of 1 bit).
FREE_PIXELS, MAX_PIXELS_PER_BYTE = 1 << 25, 10_000


def check_container(data: bytes, name: str = "picture") -> None:
    """Raise if a file is of a format that is not read, or declares more than it can hold.

    Of an animation a line in the log says that the first picture is read.

    Raises
    ------
    InputError
        Says what the file is, or what it declares.
    """
    foreign = foreign_format(data)
    if foreign is not None:
        raise InputError(
            f"the format is not supported: {foreign}; "
            "expected JPEG, PNG, BMP, TIFF, WebP, AVIF, GIF or HEIC"
        )
    is_png = data.startswith(PNG_MAGIC)
    if is_png and not png_is_whole(data):
        raise InputError("the PNG is truncated or damaged")
    width, height = declared_size(data) or (0, 0)
    if width * height > MAX_PIXELS:
        most = MAX_PIXELS // 1_000_000
        raise InputError(f"{width}x{height} pixels, more than {most} megapixels: scale it down")
    most = max(FREE_PIXELS, len(data) * MAX_PIXELS_PER_BYTE)
    if width * height > most or (is_png and not png_can_hold(data)):
        raise InputError(f"{width}x{height} pixels declared in {len(data)} bytes: damaged")
    if is_animation(data):
        logger.info("%s: an animation, of which the first picture is read", name)


def declared_size(data: bytes) -> tuple[int, int] | None:
    """Return the width and height that a file's head declares; None where it is not understood."""
    if data.startswith(PNG_MAGIC):
        return png_size(data)
    if data.startswith(JPEG_MAGIC):
        for marker, body in jpeg_segments(data):
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
                return int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        return None
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp_size(data)
    if data.startswith((b"II*\0", b"MM\0*")):
        return tiff_number(data, WIDTH) or 0, tiff_number(data, HEIGHT) or 0
    if data.startswith(b"GIF8"):
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data.startswith(b"BM") and data[14:18] != b"\x0c\0\0\0":  # not OS/2's small head
        sides = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (18, 22))
        width, height = map(abs, sides)  # a negative height counts from above
        return width, height
    if data[4:8] == b"ftyp":
        extents = (body for kind, body in primary_properties(data) if kind == b"ispe")
        _, _, extent = full_box(next(extents, b""))
        return int.from_bytes(extent[:4], "big"), int.from_bytes(extent[4:8], "big")
    if data.startswith(b"\x00\x00\x00\x0cjP  "):  # JPEG 2000
        head = next((body for kind, body in boxes(data) if kind == b"jp2h"), b"")
        sizes = next((body for kind, body in boxes(head) if kind == b"ihdr"), b"")
        return int.from_bytes(sizes[4:8], "big"), int.from_bytes(sizes[:4], "big")
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Return what the first chunk of a WebP file says: extended, lossless or lossy."""
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    return width, height
