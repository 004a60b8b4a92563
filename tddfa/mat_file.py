"""Matrices out of MATLAB's files, of which the reference's texture coordinates are one.

SciPy's reader trusts the sizes in a file: a damaged one ends the process. This one reads what is
needed, real matrices of "Level 5" files (MATLAB's ``-v6`` and ``-v7``, SciPy's default)::

    text (116)  offset (8)  version (2)  'IM' or 'MI': little or big endian  { element }

    element:  type (4)  size (4)  content, filled up to 8 bytes
    short:    type (2)  size (2)  content (4)             in little endian; size 1 to 4
    matrix (14):      flags, dimensions, name, numbers; each an element
    compressed (15):  zlib's form of one element
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError

_HEAD, _MATRIX, _COMPRESSED = 128, 14, 15
_COMPLEX = 0x0800
# Element types that hold numbers, and NumPy's names for them.
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"} | {
    12: "i8",
    13: "u8",
}
# Classes of arrays that hold numbers: double and single, then the integers.
_CLASSES = range(6, 16)
# What compressed data may unpack to.
_LARGEST = 1 << 28


def load_matrix(path: str | Path, name: str) -> npt.NDArray[Any]:
    """Load a matrix of real numbers from a ``.mat`` file.

    Parameters
    ----------
    path : str or Path
        The file.
    name : str
        The variable's name.

    Returns
    -------
    ndarray
        In its shape and with the numbers' own type.

    Raises
    ------
    InputError
        If the file cannot be read, is of another format or damaged, or has no such matrix.
    """
    try:
        data = Path(path).read_bytes()
        order = {b"IM": "<", b"MI": ">"}[data[126:_HEAD]]
        for kind, content in _elements(data[_HEAD:], order):
            if kind == _COMPRESSED:
                unpacked = zlib.decompressobj().decompress(content, _LARGEST)
                kind, content = next(_elements(unpacked, order))
            matrix = _matrix(content, order, name) if kind == _MATRIX else None
            if matrix is not None:
                return matrix
    except OSError as error:
        raise InputError(f"'{path}': cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged file raises key, value, zlib and struct errors
        raise InputError(f"'{path}': expected a .mat file (MATLAB's -v7)") from error
    raise InputError(f"'{path}': expected a .mat file with the matrix {name}")


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of each element; one that is cut off raises a ValueError."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        begin = at + 8
        if kind >> 16:  # the short form: both numbers in one word
            kind, size, begin = kind & 0xFFFF, kind >> 16, at + 4
            if size > 4:
                raise ValueError(f"a short element of {size} bytes")
        if begin + size > len(data):
            raise ValueError("an element goes beyond the file")
        yield kind, data[begin : begin + size]
        end = begin + size
        at = end if kind == _COMPRESSED else at + -(-(end - at) // 8) * 8


def _matrix(content: bytes, order: str, wanted: str) -> npt.NDArray[Any] | None:
    """Return the matrix if it has the name that is wanted."""
    parts = _elements(content, order)
    (_, flags), (_, sides), (_, name) = next(parts), next(parts), next(parts)
    if name.decode("ascii") != wanted:
        return None
    (flag,) = struct.unpack_from(f"{order}I", flags)
    if flag & 0xFF not in _CLASSES or flag & _COMPLEX:
        raise ValueError("no matrix of real numbers")
    kind, numbers = next(parts)
    values = np.frombuffer(numbers, f"{order}{_NUMBERS[kind]}")
    shape = np.frombuffer(sides, f"{order}i4").tolist()
    if min(shape, default=-1) < 0:  # NumPy would take -1 for "whatever is left"
        raise ValueError(f"a matrix of the shape {shape}")
    return values.reshape(shape, order="F")
