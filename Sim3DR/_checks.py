"""Checks of meshes and colors, shared by the functions of this package."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]

_BITS_OF_ONE = int(np.float32(1).view(np.uint32))
LONGEST = 2**31 - 1024
"""Rows of a mesh and of a picture at most: the kernels count in 32 bits."""


def check_length(name: str, length: int) -> None:
    """Raise a ValueError if there are more rows than the kernels can count."""
    if length > LONGEST:
        raise ValueError(f"{name}: expected at most {LONGEST}, got {length}")


def as_float32(name: str, value: ArrayLike) -> FloatArray:
    """Return real numbers as contiguous float32; other types raise a TypeError."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: expected real numbers, got {array.dtype}")
    with np.errstate(over="ignore"):  # float64 beyond float32's range: infinite, so skipped later
        return np.ascontiguousarray(array, dtype=np.float32)


def as_mesh(vertices: ArrayLike, triangles: ArrayLike) -> tuple[FloatArray, IntArray]:
    """Return a mesh as contiguous arrays (N, 3) float32 and (M, 3) int32.

    Raises
    ------
    TypeError
        If the vertices are not real numbers or the triangles not integers.
    ValueError
        If a shape is wrong or a triangle names a vertex that does not exist.
    """
    given: NDArray[Any] = np.asarray(vertices)
    check_length("vertices", len(given) if given.ndim else 0)  # before it is copied
    points = as_float32("vertices", given)
    if points.size == 0 and points.ndim < 2:
        points = points.reshape(0, 3)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"vertices: expected shape (N, 3), got {points.shape}")

    faces: NDArray[Any] = np.asarray(triangles)
    check_length("triangles", len(faces) if faces.ndim else 0)
    if faces.size == 0:
        faces = np.zeros((0, 3) if faces.ndim < 2 else faces.shape, dtype=np.int32)
    if faces.dtype.kind not in "iu":
        raise TypeError(f"triangles: expected integers, got {faces.dtype}")
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError(f"triangles: expected shape (M, 3), got {faces.shape}")
    if faces.size and not _within(faces, len(points)):
        low, high = int(faces.min()), int(faces.max())
        wrong = low if low < 0 else high
        raise ValueError(
            f"triangles: vertex index {wrong} is out of range for {len(points)} vertices"
        )
    return points, np.ascontiguousarray(faces, dtype=np.int32)


def _within(indices: NDArray[Any], count: int) -> bool:
    """Tell whether all indices are in 0 .. count - 1."""
    if indices.dtype == np.int32:
        # as unsigned numbers negative ones are the largest: one pass tells both ends
        return int(indices.view(np.uint32).max()) < count
    return int(indices.min()) >= 0 and int(indices.max()) < count


def as_colors(name: str, value: ArrayLike, count: int) -> FloatArray:
    """Return one color per vertex as contiguous (N, C) float32 within [0, 1], NaN as 0."""
    array = np.asarray(value)
    if array.dtype == np.uint8:
        raise TypeError(f"{name}: expected floats in [0, 1], got uint8; divide by 255")
    colors = as_float32(name, array)
    if colors.ndim == 1:
        colors = colors.reshape(-1, 1)
    if colors.ndim != 2 or colors.shape[1] < 1 or len(colors) != count:
        raise ValueError(
            f"{name}: expected shape (N, C) with N = {count} vertices and C >= 1, got {array.shape}"
        )
    # The bits of floats from 0 to 1 grow with them; those of negative ones and of NaN are beyond.
    if int(colors.view(np.uint32).max(initial=0)) <= _BITS_OF_ONE:
        return colors
    # fmax and fmin, other than clip, return the bound where a color is NaN
    return np.fmin(np.fmax(colors, np.float32(0)), np.float32(1))
