"""Damage to files, as downloads, disks and malice do it; the same for the same generator."""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

import numpy as np

from tddfa.io.png import PNG_MAGIC, png_chunks

# Sizes, counts and offsets that programs trip over.
_NUMBERS = (
    *(0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000),
    *(0xFFFFFFFF, 0xFFFFFFFE, 1 << 20, 1 << 24, 1 << 28, 12_000, 30_000, 65_500),
)
# Most heads lie within so many bytes, and that is where a file says what it is.
_HEAD = 512


def mutate(data: bytes, rng: np.random.Generator, others: Sequence[bytes] = ()) -> bytes:
    """Return a file with one to five faults, half of them in its head.

    Checksums would give most of them away at the door: half of the time those of a PNG are made
    right again, and of an archive one of the files within is damaged.

    Parameters
    ----------
    data : bytes
        The sound file.
    rng : Generator
        Where chance comes from.
    others : sequence of bytes
        Files, parts of which may be spliced in.
    """
    if data.startswith(b"PK") and rng.integers(2):
        return _damaged_member(data, rng, others)
    broken = _damaged(data, rng, others)
    return _with_checksums(broken) if data.startswith(PNG_MAGIC) and rng.integers(2) else broken


def _damaged_member(data: bytes, rng: np.random.Generator, others: Sequence[bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as new:
        members = archive.infolist()
        chosen = int(rng.integers(len(members)))
        for number, member in enumerate(members):
            content = archive.read(member)
            if number == chosen:
                content = _damaged(content, rng, others)
            new.writestr(member, content)
    return buffer.getvalue()


def _with_checksums(png: bytes) -> bytes:
    data = bytearray(png)
    for _, begin, end in png_chunks(png):
        if end <= len(data):
            data[end - 4 : end] = struct.pack(">I", zlib.crc32(data[begin + 4 : end - 4]))
    return bytes(data)


def _damaged(data: bytes, rng: np.random.Generator, others: Sequence[bytes]) -> bytes:
    broken = bytearray(data)
    for _ in range(1 + int(rng.integers(5)) * int(rng.integers(2))):
        if not broken:
            break
        fault = _FAULTS[int(rng.choice(len(_FAULTS), p=_SHARES))]
        fault(broken, rng, others)
    return bytes(broken)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    end = min(_HEAD, len(data)) if rng.integers(2) else len(data)
    return int(rng.integers(end))


def _flip_bits(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    for _ in range(int(rng.integers(1, 9))):
        data[_place(data, rng)] ^= 1 << int(rng.integers(8))


def _set_bytes(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    at, count = _place(data, rng), int(rng.integers(1, 17))
    data[at : at + count] = rng.bytes(min(count, len(data) - at))


def _set_number(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    """Overwrite 1, 2, 4 or 8 bytes with a number that may be a size, in either byte order."""
    size = int(rng.choice([1, 2, 4, 8], p=[0.1, 0.3, 0.5, 0.1]))
    number = int(rng.choice(_NUMBERS)) & (1 << 8 * size) - 1
    at = _place(data, rng)
    text = number.to_bytes(size, "little" if rng.integers(2) else "big")
    data[at : at + size] = text[: len(data) - at]


def _cut_off(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    del data[_place(data, rng) :]


def _leave_out(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    at = _place(data, rng)
    del data[at : at + int(rng.integers(1, 1 + max(1, len(data) // 4)))]


def _repeat(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    at, length = _place(data, rng), int(rng.integers(1, 4097))
    data[at:at] = data[at : at + length] * int(rng.integers(1, 4))


def _splice(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    other = others[int(rng.integers(len(others)))] if others else bytes(64)
    source, at = int(rng.integers(max(1, len(other)))), _place(data, rng)
    data[at:] = other[source:]


def _blank(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    """Zeros, as a disk leaves them, or ones."""
    at, length = _place(data, rng), int(rng.integers(1, 4097))
    length = min(length, len(data) - at)
    data[at : at + length] = bytes([0 if rng.integers(2) else 255]) * length


def _append(data: bytearray, rng: np.random.Generator, others: Sequence[bytes]) -> None:
    data += rng.bytes(int(rng.integers(1, 2049)))


_FAULTS = (
    *(_flip_bits, _set_bytes, _set_number, _cut_off, _leave_out, _repeat, _splice, _blank),
    _append,
)
_SHARES = (0.2, 0.15, 0.3, 0.1, 0.07, 0.05, 0.05, 0.05, 0.03)
