"""Lines of numbers for mesh files, equal to what Python's ``'%.2f'`` prints, but fast."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.export._text_format import write_indices, write_rows

# float32 times 10**8 still fits the 53 bits of a float64, see the kernel.
MAX_DECIMALS = 8
# Scaled values must fit an int64; larger ones are left to Python.
_LARGEST_SCALED = 1e18
# Bytes of an entry in the kernel's table; the last one holds a length, a pair takes 2·14 + 2.
_ENTRY = 32
_LARGEST_INDEX = 10**14 - 1


def _width(value: float) -> int:
    """Return how many characters the whole part of a non-negative number takes."""
    return len(str(int(value) + 1))


def format_rows(values: npt.ArrayLike, prefix: bytes = b"", decimals: int = 2) -> memoryview:
    r"""Format rows of float32 numbers as lines of text.

    Parameters
    ----------
    values : array_like, shape (N, K), float32
        Finite numbers; K > 0.
    prefix : bytes
        Put before each row.
    decimals : int
        Digits after the point, 1 to 8, correctly rounded (ties to even), ``-0.00`` kept.

    Returns
    -------
    memoryview of bytes
        N lines of K numbers with a space between them.

    Raises
    ------
    InputError
        If a number is NaN or infinite.

    Examples
    --------
    >>> bytes(format_rows([[1, -2.5, 0.125]], b"v "))
    b'v 1.00 -2.50 0.12\n'
    """
    rows = np.ascontiguousarray(values, np.float32)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(f"values: expected shape (N, K) with K > 0, got {rows.shape}")
    if not 1 <= decimals <= MAX_DECIMALS:
        raise ValueError(f"decimals: expected 1 to {MAX_DECIMALS}, got {decimals}")
    if rows.size == 0:
        return memoryview(b"")
    if not np.isfinite(rows).all():
        raise InputError("mesh: expected finite coordinates, found NaN or infinity")
    largest = max(-float(rows.min()), float(rows.max()))
    if largest * 10**decimals > _LARGEST_SCALED:
        lines = (" ".join(f"{value:.{decimals}f}" for value in row) for row in rows.tolist())
        return memoryview(b"".join(prefix + line.encode() + b"\n" for line in lines))
    # sign, point and separator
    row_length = len(prefix) + rows.shape[1] * (_width(largest) + decimals + 3)
    buffer: npt.NDArray[Any] = np.empty(len(rows) * row_length, np.uint8)
    length = write_rows(rows, prefix, decimals, buffer)
    return buffer[:length].data


def format_indices(
    rows: npt.ArrayLike, prefix: bytes = b"", offset: int = 0, paired: bool = False
) -> memoryview:
    r"""Format rows of vertex indices as lines of text.

    Parameters
    ----------
    rows : array_like, shape (M, K), int32
        Indices from 0; K > 0.
    prefix : bytes
        Put before each row.
    offset : int
        Added to each index, not negative.
    paired : bool
        Write each index twice with a slash, as OBJ wants for vertex and texture coordinate.

    Returns
    -------
    memoryview of bytes
        M lines of K indices with a space between them.

    Examples
    --------
    >>> bytes(format_indices([[0, 1, 2]], b"f ", offset=1, paired=True))
    b'f 1/1 2/2 3/3\n'
    """
    indices = np.ascontiguousarray(rows, np.int32)
    if indices.ndim != 2 or indices.shape[1] == 0:
        raise ValueError(f"rows: expected shape (M, K) with K > 0, got {indices.shape}")
    if indices.size == 0:
        return memoryview(b"")
    largest = int(indices.max()) + offset
    if offset < 0 or int(indices.min()) < 0 or largest > _LARGEST_INDEX:
        raise ValueError(f"rows, offset: expected 0 to {_LARGEST_INDEX}")
    if largest - offset < 4 * indices.size:
        numbers = np.arange(offset, largest + 1, dtype=np.int64)
    else:  # few indices, widely spread: the kernel's table must stay small
        unique, inverse = np.unique(indices, return_inverse=True)
        numbers = unique.astype(np.int64) + offset
        indices = inverse.reshape(indices.shape).astype(np.int32)
    width = (len(str(largest)) + 1) * (2 if paired else 1)
    row_length = len(prefix) + indices.shape[1] * width
    table = np.empty((len(numbers), _ENTRY), np.uint8)
    # The kernel copies whole entries, beyond the end of the last text.
    buffer: npt.NDArray[Any] = np.empty(len(indices) * row_length + _ENTRY, np.uint8)
    length = write_indices(numbers, indices, prefix, paired, table, buffer)
    return buffer[:length].data
