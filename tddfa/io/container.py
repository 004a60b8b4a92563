"""What a picture file says about itself, looked at before a decoder believes it.

A file of a hundred bytes can declare a picture or a comment of gigabytes. Here the declared size is
compared with what the file could hold, and of PNG files only the parts that make the picture are
passed on: decoders of color profiles and Exif data have had their share of accidents.
"""

import logging
from collections.abc import Iterator

from tddfa.errors import InputError
from tddfa.io.boxes import boxes, full_box
from tddfa.io.heic import file_brands
from tddfa.io.jpeg import JPEG_MAGIC, jpeg_segments
from tddfa.io.orientation import primary_properties

logger = logging.getLogger(__name__)

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Larger pictures are refused whatever the file's size: 1 GiB as BGRA.
MAX_PIXELS = 1 << 28
# Up to this a picture may be as empty as it likes; beyond, each byte of the file may stand for so
# many pixels (a white PNG: 8256 of 1 bit).
FREE_PIXELS, MAX_PIXELS_PER_BYTE = 1 << 25, 10_000
# Deflate makes at most so many bytes out of one.
_DEFLATE = 1032
# PNG chunks besides the critical ones that change pixels.
_PNG_KEPT = frozenset({b"tRNS"})
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Formats that people have and OpenCV has not: how a file begins, what it is.
_FOREIGN = (
    (b"\x00\x05\x16\x07", "macOS resource data, not the picture itself"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"\x00\x00\x02\x00\x01\x00", "a cursor (CUR)"),
    (b"8BPS", "a Photoshop file (PSD)"),
    (b"%PDF", "a PDF file"),
    (b"DDS ", "a DirectDraw surface (DDS)"),
    (b"icns", "an icon (ICNS)"),
    (b"gimp xcf", "a GIMP file (XCF)"),
    (b"FUJIFILMCCD-RAW", "a raw photo (RAF)"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"<svg", "an SVG drawing"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
)
_SUPPORTED = "expected JPEG, PNG, BMP, TIFF, WebP, AVIF, GIF or HEIC"


def check_container(data: bytes, name: str = "picture") -> None:
    """Raise if a file is of a format that is not read, or declares more than it can hold.

    Of an animation a line says that the first picture is read.

    Raises
    ------
    InputError
        Says what the file is, or what it declares.
    """
    foreign = next((kind for start, kind in _FOREIGN if data.startswith(start)), None)
    if foreign is None and _is_pcx(data):
        foreign = "a PCX picture"
    if foreign is None and _is_tga(data):
        foreign = "a Targa picture (TGA)"
    if foreign is not None:
        raise InputError(f"the format is not supported: {foreign}; {_SUPPORTED}")
    if data.startswith(PNG_MAGIC) and not _png_is_whole(data):
        raise InputError("the PNG is truncated or damaged")
    size = _declared_size(data)
    if size is not None:
        pixels = size[0] * size[1]
        limit = max(FREE_PIXELS, len(data) * MAX_PIXELS_PER_BYTE)
        if pixels > MAX_PIXELS:
            most = MAX_PIXELS // 1_000_000
            raise InputError(f"{size[0]}x{size[1]} pixels, more than {most} megapixels: scale down")
        if pixels > limit or not _png_can_hold(data, size):
            raise InputError(f"{size[0]}x{size[1]} pixels declared in {len(data)} bytes: damaged")
    if _is_animation(data):
        logger.info("%s: an animation, of which the first picture is read", name)


def pixels_only(data: bytes) -> bytes:
    """Return a PNG file without the chunks that do not change its pixels; others as they are."""
    if not data.startswith(PNG_MAGIC):
        return data
    kept = [data[at:end] for at, end, kind in _png_chunks(data) if _counts(kind)]
    return PNG_MAGIC + b"".join(kept)


def _counts(kind: bytes) -> bool:
    return kind[:1].isupper() or kind in _PNG_KEPT


def _png_chunks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield begin, end and type of each chunk: length (4), type (4), content, checksum (4)."""
    at = len(PNG_MAGIC)
    while at + 8 <= len(data):
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield at, end, kind
        if kind == b"IEND":
            return
        at = end


def _png_is_whole(data: bytes) -> bool:
    """Tell whether all chunks lie in the file: a decoder makes room for what their lengths say."""
    at = len(PNG_MAGIC)
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"IEND":
            return at <= len(data)
    return False


def _png_can_hold(data: bytes, size: tuple[int, int]) -> bool:
    """Tell whether a PNG file's data can make the picture that its head declares."""
    if not data.startswith(PNG_MAGIC):
        return True
    bits = data[24] * _SAMPLES.get(data[25], 1)
    raw = size[1] * (1 + size[0] * bits // 8)
    return raw <= _DEFLATE * sum(e - at for at, e, kind in _png_chunks(data) if kind == b"IDAT")


def _declared_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height that the head declares; None where it is not understood."""
    if data.startswith(PNG_MAGIC):
        if len(data) < 26:
            return None
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data.startswith(JPEG_MAGIC):
        for marker, body in jpeg_segments(data):
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(body) >= 5:
                return int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        return None
    if data.startswith(b"RIFF") and data[12:16] == b"VP8X" and len(data) >= 30:
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if data[4:8] == b"ftyp":
        extents = (body for kind, body in primary_properties(data) if kind == b"ispe")
        _, _, extent = full_box(next(extents, b""))
        return int.from_bytes(extent[:4], "big"), int.from_bytes(extent[4:8], "big")
    if data.startswith(b"GIF8"):
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data.startswith(b"BM") and data[14:18] != b"\x0c\0\0\0":  # not OS/2's small head
        sides = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (18, 22))
        width, height = map(abs, sides)  # a negative height counts from above
        return width, height
    if data.startswith(b"\x00\x00\x00\x0cjP  "):
        head = next((body for kind, body in boxes(data) if kind == b"jp2h"), b"")
        sizes = next((body for kind, body in boxes(head) if kind == b"ihdr"), b"")
        return int.from_bytes(sizes[4:8], "big"), int.from_bytes(sizes[:4], "big")
    return None


def _is_animation(data: bytes) -> bool:
    if data.startswith(PNG_MAGIC):
        return any(kind == b"acTL" for _, _, kind in _png_chunks(data))
    if data.startswith(b"RIFF") and data[12:16] == b"VP8X":
        return bool(data[20:21] and data[20] & 2)
    if data.startswith(b"GIF8"):
        # Each picture but the last is followed by another one's control block.
        return data.count(b"\x21\xf9\x04") > 1
    return bool(data[8:12] == b"avis" and file_brands(data))


def _is_pcx(data: bytes) -> bool:
    return len(data) >= 128 and data[0] == 10 and data[1] in (0, 2, 3, 4, 5) and data[2] == 1


def _is_tga(data: bytes) -> bool:
    """Tell a Targa picture, which has no signature at its beginning, by its head's few choices."""
    if data[-18:-2] == b"TRUEVISION-XFILE":
        return True
    return (
        len(data) > 18
        and data[1] in (0, 1)
        and data[2] in (1, 2, 3, 9, 10, 11)
        and data[16] in (8, 15, 16, 24, 32)
        and data[12:14] != b"\0\0"
        and data[14:16] != b"\0\0"
        and data[17] & 0xC0 == 0
        and data[0] == 0
        and data[3:8].count(0) >= 4
    )
