"""Arrays of an ``.npz`` mapped from the file: only what is looked at is read."""

import os
import struct
import zipfile
from collections.abc import Collection, Iterator
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# A file in a zip archive begins with a header of so many bytes, then its name and an extra field,
# whose lengths are the header's last two numbers (APPNOTE.TXT 4.3.7).
_HEADER, _LENGTHS = 30, 26


def read_npz(path: Path, mapped: Collection[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """Read an ``.npz`` without pickles.

    Parameters
    ----------
    path : Path
    mapped : collection of str
        Arrays to be mapped (read-only) where the archive holds them uncompressed and the system
        lets a file be replaced while it is mapped, which Windows does not. Such an array may be
        unaligned, and is not checked against the archive's checksum.

    Returns
    -------
    dict of ndarray

    Raises
    ------
    Exception
        A damaged archive raises zlib, zipfile, struct and value errors.
    """
    arrays = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            found = _map(path, archive.zip, f"{name}.npy") if name in mapped else None
            arrays[name] = archive[name] if found is None else found
    return arrays


def _map(path: Path, archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any] | None:
    info = archive.getinfo(name)
    if os.name != "posix" or info.compress_type != zipfile.ZIP_STORED:
        return None
    with path.open("rb") as file:
        file.seek(info.header_offset + _LENGTHS)
        begin = info.header_offset + _HEADER + sum(struct.unpack("<HH", file.read(4)))
        file.seek(begin)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(np.lib.format.read_magic(file))
        if read_header is None:
            return None
        shape, fortran, kind = read_header(file)
        size = kind.itemsize * int(np.prod(shape))
        if kind.hasobject or not size or file.tell() + size != begin + info.file_size:
            return None
        order: Any = "F" if fortran else "C"
        return np.memmap(path, kind, "r", offset=file.tell(), shape=shape, order=order)


def is_mapped_whole(array: npt.NDArray[Any]) -> bool:
    """Tell whether an array is one of `read_npz`'s, not part of one, with its rows in order."""
    return (
        isinstance(array, np.memmap)
        and array.mode == "r"
        and isinstance(array.base, mmap)
        and bool(array.flags.c_contiguous)
    )


def read_pieces(array: npt.NDArray[Any], size: int = 1 << 20) -> Iterator[bytes]:
    """Read the file behind a mapped array: what is read does not stay in memory."""
    assert isinstance(array, np.memmap) and array.filename is not None
    with Path(array.filename).open("rb") as file:
        file.seek(array.offset)
        left = array.nbytes
        while left and (piece := file.read(min(left, size))):
            left -= len(piece)
            yield piece


def take_rows(array: npt.NDArray[Any], rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
    """Return rows of an array; of a mapped one they alone are read.

    A page that is touched brings its neighbors, 64 kB in all: a few rows here and there would be
    half of the array.

    Examples
    --------
    >>> take_rows(np.arange(6).reshape(3, 2), np.array([2, 0])).tolist()
    [[4, 5], [0, 1]]
    """
    if not is_mapped_whole(array):
        return np.asarray(array)[rows]
    assert isinstance(array, np.memmap) and array.filename is not None
    taken = np.empty((len(rows), *array.shape[1:]), array.dtype)
    length = array.nbytes // len(array)
    with Path(array.filename).open("rb", buffering=0) as file:
        for target, row in zip(taken, rows.tolist(), strict=True):
            file.seek(array.offset + (row % len(array)) * length)
            file.readinto(target.data.cast("B"))
    return taken
