"""Which way up a picture is, read from the few bytes that say so.

Libraries that read all of a file's Exif data believe what it declares, be it gigabytes.
"""

from collections.abc import Iterator

from tddfa.io.boxes import boxes, full_box
from tddfa.io.png import PNG_MAGIC, png_chunk
from tddfa.io.tiff import ORIENTATION, tiff_number

UPRIGHT = 1
# Quarter turns counter-clockwise and mirroring, as Exif numbers them (TIFF 6.0, tag 274). AVIF
# turns first (irot), then mirrors (imir): axis 0 swaps top and bottom, axis 1 left and right.
_TURNS = {0: 1, 1: 8, 2: 3, 3: 6}
_TURNED_AND_MIRRORED = {
    (0, 0): 4,
    (1, 0): 5,
    (2, 0): 2,
    (3, 0): 7,
    (0, 1): 2,
    (1, 1): 7,
    (2, 1): 4,
    (3, 1): 5,
}


def exif_orientation(exif: bytes) -> int:
    r"""Return the orientation 1 to 8 of an Exif block; 1 (upright) where it says none.

    Parameters
    ----------
    exif : bytes
        TIFF structure, with or without ``Exif\0\0`` before it.
    """
    value = tiff_number(exif.removeprefix(b"Exif\0\0"), ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else UPRIGHT


def stored_orientation(data: bytes) -> int:
    """Return the orientation 1 to 8 of a PNG, WebP or AVIF file; 1 for others."""
    if data.startswith(PNG_MAGIC):
        return exif_orientation(png_chunk(data, b"eXIf"))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        chunks = _riff_chunks(data)
        return exif_orientation(next((body for kind, body in chunks if kind == b"EXIF"), b""))
    if data[4:8] == b"ftyp":
        return _avif_orientation(data)
    return UPRIGHT


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _avif_orientation(data: bytes) -> int:
    """Return what the main picture's transformations come to.

    Exif's own orientation does not count in these files (ISO/IEC 23008-12, 6.5.10).
    """
    properties = primary_properties(data)
    turns = next((body[0] & 3 for kind, body in properties if kind == b"irot" and body), 0)
    axis = next((body[0] & 1 for kind, body in properties if kind == b"imir" and body), None)
    return _TURNS[turns] if axis is None else _TURNED_AND_MIRRORED[turns, axis]


def primary_properties(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return kind and content of the properties of an AVIF or HEIF file's main picture."""
    meta = next((body for kind, body in boxes(data) if kind == b"meta"), b"")
    inner = dict(boxes(full_box(meta)[2]))
    version, _, body = full_box(inner.get(b"pitm", b""))
    primary = int.from_bytes(body[: 4 if version else 2], "big")
    parts = list(boxes(inner.get(b"iprp", b"")))
    known = [pair for kind, part in parts if kind == b"ipco" for pair in boxes(part)]
    return [
        known[index - 1]
        for kind, part in parts
        if kind == b"ipma"
        for index in _associations(part, primary)
        if 1 <= index <= len(known)
    ]


def _associations(ipma: bytes, item: int) -> list[int]:
    """Return the numbers, from 1, of an item's properties.

    ::

        count (4)  { item id (2 or 4)  n (1)  { essential (1 bit) and number (7 or 15 bits) } }
    """
    version, flags, body = full_box(ipma)
    id_size, size = (4 if version else 2), (2 if flags & 1 else 1)
    at = 4
    while at + id_size < len(body):
        number = int.from_bytes(body[at : at + id_size], "big")
        at += id_size + 1
        count = body[at - 1]
        if number == item:
            places = range(at, min(at + count * size, len(body)), size)
            mask = 0x7FFF if size == 2 else 0x7F
            return [int.from_bytes(body[p : p + size], "big") & mask for p in places]
        at += count * size
    return []
