"""Chunks of PNG files.

::

    signature (8)  { length (4)  type (4)  content  checksum (4) }
"""

from collections import deque
from collections.abc import Iterator

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Deflate makes at most so many bytes out of one.
_DEFLATE = 1032
# Besides the critical chunks, whose names begin with a capital letter, these change pixels.
_KEPT = frozenset({b"tRNS"})
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, begin and end of each chunk, length and checksum included; the last one is IEND.

    The end lies beyond the data where the chunk was cut off or is damaged.
    """
    at = len(PNG_MAGIC)
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end


def png_chunk(data: bytes, wanted: bytes) -> bytes:
    """Return the content of the first chunk of a type; nothing if there is none."""
    return next(
        (data[at + 8 : end - 4] for kind, at, end in png_chunks(data) if kind == wanted), b""
    )


def png_size(data: bytes) -> tuple[int, int]:
    """Return the width and height that the head declares."""
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def png_is_whole(data: bytes) -> bool:
    """Tell whether all chunks lie in the file: a decoder makes room for what their lengths say."""
    last = deque(png_chunks(data), maxlen=1)
    kind, _, end = last.pop() if last else (b"", 0, 0)
    return kind == b"IEND" and end <= len(data) and len(data) >= 33


def png_can_hold(data: bytes) -> bool:
    """Tell whether a file's data can make the picture that its head declares."""
    width, height = png_size(data)
    bits = data[24] * _SAMPLES.get(data[25], 1)
    raw = height * (1 + width * bits // 8)
    return raw <= _DEFLATE * sum(e - at for kind, at, e in png_chunks(data) if kind == b"IDAT")


def pixels_only(data: bytes) -> bytes:
    """Return a PNG file without the chunks that do not change its pixels; others as they are.

    Decoders of color profiles, Exif data and animations have had their share of accidents.
    """
    if not data.startswith(PNG_MAGIC):
        return data
    kept = [data[at:e] for kind, at, e in png_chunks(data) if kind[:1].isupper() or kind in _KEPT]
    return PNG_MAGIC + b"".join(kept)
