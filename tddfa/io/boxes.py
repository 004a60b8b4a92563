"""Boxes of ISO base media files (HEIC, AVIF): size, type, content."""

from collections.abc import Iterator


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of each box; what is cut off or overlong ends the list.

    ::

        size (4)  type (4)  content        size 1: the real size (8) follows the type; 0: to the end
    """
    at = 0
    while at + 8 <= len(data):
        size, head = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(data) - at
        if size < head or at + size > len(data):
            return
        yield data[at + 4 : at + 8], data[at + head : at + size]
        at += size


def full_box(body: bytes) -> tuple[int, int, bytes]:
    """Split the content of a full box into version, flags and the rest."""
    return (body[0], int.from_bytes(body[1:4], "big"), body[4:]) if len(body) >= 4 else (0, 0, b"")
