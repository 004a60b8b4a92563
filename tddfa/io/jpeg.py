"""Whether a JPEG stream holds the whole picture.

Decoders fill what is missing with gray and say nothing, or refuse a picture that lacks no more than
its end marker, as some cameras and broken downloads leave it.
"""

import io
import re
from collections.abc import Iterator

import numpy as np

JPEG_MAGIC = b"\xff\xd8"
END_OF_IMAGE = b"\xff\xd9"
# A marker that is neither stuffing (00), fill (FF) nor a restart (D0-D7).
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_START_OF_SCAN, _RESTART_INTERVAL = 0xDA, 0xDD
_PROGRESSIVE = {0xC2, 0xCA}
_AC_COEFFICIENTS = range(1, 64)
# Bytes of made-up data that stand in for what may be missing.
_TAIL = 2048


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of each segment of the first picture, entropy-coded data left out.

    Segments are skipped by their length, so that the markers of an embedded thumbnail do not count.
    The end marker comes last, with no content, where there is one.
    """
    position = 2
    while match := _MARKER.search(data, position):
        marker, position = data[match.end() - 1], match.end()
        if match.group() == END_OF_IMAGE:
            yield marker, b""
            return
        length = max(int.from_bytes(data[position : position + 2], "big"), 2)
        yield marker, data[position + 2 : position + length]
        position += length


def jpeg_is_complete(data: bytes) -> bool:
    """Tell whether the first picture in a JPEG stream reaches its end marker."""
    return any(marker == END_OF_IMAGE[1] for marker, _ in jpeg_segments(data))


def close_jpeg(data: bytes) -> bytes | None:
    """Return a JPEG stream that lacks its end marker with one; None if the picture is not whole.

    The picture is whole if it stays the same whatever follows: a decoder that still waits for data
    takes made-up data for it. Progressive streams must also bring every coefficient to its last
    bit.

    Parameters
    ----------
    data : bytes
        JPEG stream without an end marker.
    """
    # Zeros at the end are space that a download had reserved; one after FF is stuffing.
    stream = data.rstrip(b"\0")
    if stream.endswith(b"\xff") and len(stream) < len(data):
        stream += b"\0"
    segments = list(jpeg_segments(stream))
    if not any(marker == _START_OF_SCAN for marker, _ in segments) or not _all_scans(segments):
        return None
    expected = _pixels(stream + END_OF_IMAGE)
    if expected is None:
        return None
    for tail in _tails(stream, segments):
        pixels = _pixels(stream + tail + END_OF_IMAGE)
        if pixels is None or not np.array_equal(pixels, expected):
            return None
    return stream + END_OF_IMAGE


def _tails(stream: bytes, segments: list[tuple[int, bytes]]) -> Iterator[bytes]:
    for value in (0x55, 0xAA, 0x33, 0x0C):
        yield bytes([value]) * _TAIL
    if not any(marker == _RESTART_INTERVAL for marker, _ in segments):
        return
    # After a restart interval a decoder waits for the marker that comes next.
    last = _RESTART.findall(stream)
    number = last[-1][1] - 0xD0 + 1 if last else 0
    for value in (0x55, 0xAA):
        intervals = (
            bytes([0xFF, 0xD0 + (number + k) % 8]) + bytes([value]) * 64 for k in range(_TAIL // 64)
        )
        yield b"".join(intervals)


def _all_scans(segments: list[tuple[int, bytes]]) -> bool:
    """Tell whether the scans of a progressive picture bring every coefficient to its last bit."""
    frames = [(marker, body) for marker, body in segments if 0xC0 <= marker <= 0xCF]
    frames = [(m, body) for m, body in frames if m not in (0xC4, 0xC8, 0xCC) and len(body) > 5]
    if not frames or frames[0][0] not in _PROGRESSIVE:
        return bool(frames)
    frame = frames[0][1]
    components = set(frame[6 : 6 + 3 * frame[5] : 3])
    done: set[tuple[int, int]] = set()
    for marker, body in segments:
        if marker != _START_OF_SCAN or not body or len(body) < 4 + 2 * body[0]:
            continue
        first, last, bits = body[1 + 2 * body[0] :][:3]
        if bits & 15 == 0:  # the scan's lowest bit is the last one
            for component in body[1 : 1 + 2 * body[0] : 2]:
                done.update((component, k) for k in range(first, last + 1))
    # A component's AC coefficients may all be zero and left out; not those of the first, the luma.
    luma = frame[6]
    return all((c, 0) in done for c in components) and all(
        (luma, k) in done for k in _AC_COEFFICIENTS
    )


def _pixels(data: bytes) -> np.ndarray | None:
    from PIL import Image  # rare, and start-up must stay short

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(picture)
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return None
