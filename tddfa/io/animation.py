"""Whether a picture file moves."""

from tddfa.io.heic import file_brands
from tddfa.io.png import PNG_MAGIC, png_chunks


def is_animation(data: bytes) -> bool:
    """Tell whether a PNG, WebP, GIF or AVIF file has several pictures that follow each other."""
    if data.startswith(PNG_MAGIC):
        return any(kind == b"acTL" for kind, _, _ in png_chunks(data))
    if data.startswith(b"RIFF") and data[12:16] == b"VP8X":
        return bool(data[20:21] and data[20] & 2)
    if data.startswith(b"GIF8"):
        return _has_two_pictures(data)
    return data[8:12] == b"avis" and bool(file_brands(data))


def _has_two_pictures(gif: bytes) -> bool:
    """Walk the blocks of a GIF file until the second picture.

    ::

        head (13, color table)  { '!' label, or ',' place (9, color table) code size; sub-blocks }
    """
    at = 13 + _color_table(gif, 10)
    pictures = 0
    while at < len(gif):
        if gif[at : at + 1] == b"!":
            at += 2
        elif gif[at : at + 1] == b",":
            pictures += 1
            if pictures == 2:
                return True
            at += 11 + _color_table(gif, at + 9)
        else:
            return False
        while at < len(gif) and gif[at]:  # sub-blocks: size (1), data; an empty one ends them
            at += 1 + gif[at]
        at += 1
    return False


def _color_table(gif: bytes, at: int) -> int:
    """Return the bytes of the color table that the flags at a place announce."""
    flags = gif[at] if at < len(gif) else 0
    return 3 << (1 + (flags & 7)) if flags & 0x80 else 0
