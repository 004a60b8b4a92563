"""Checks and conversions of what the drawing and writing functions are given."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.known_tables import known_table
from tddfa.picture import ImageArray, check_picture

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]


def as_picture(img: npt.ArrayLike) -> ImageArray:
    """Return the picture as C-contiguous BGR (H, W, 3) uint8, a copy only where needed.

    Raises
    ------
    InputError
        If it is no such array.
    """
    return np.ascontiguousarray(check_picture(np.asarray(img), "img"))


def as_faces(ver_lst: Iterable[npt.ArrayLike], name: str = "ver_lst") -> list[FloatArray]:
    """Return the vertices of each face as (3, N) float32; one array (3, N) counts as one face.

    Raises
    ------
    InputError
        If an entry has another shape.
    """
    if isinstance(ver_lst, np.ndarray) and ver_lst.ndim == 2:
        ver_lst = [ver_lst]
    faces = [np.asarray(vertices, np.float32) for vertices in ver_lst]
    for vertices in faces:
        if vertices.ndim != 2 or vertices.shape[0] != 3:
            raise InputError(f"{name}: expected arrays of shape (3, N), got {vertices.shape}")
    return faces


def as_triangles(tri: npt.ArrayLike, n_vertices: int | None = None) -> IntArray:
    """Return triangles as C-contiguous (M, 3) int32; (3, M) is transposed.

    Parameters
    ----------
    tri : array_like, shape (M, 3) or (3, M), int
        Vertex indices from 0.
    n_vertices : int, optional
        If given, the indices are checked against it.

    Raises
    ------
    InputError
        If the shape or an index is wrong.
    """
    triangles = np.asarray(tri)
    if triangles.ndim == 2 and triangles.shape[0] == 3 and triangles.shape[1] != 3:
        triangles = triangles.T
    if triangles.ndim != 2 or triangles.shape[1] != 3 or triangles.dtype.kind not in "iu":
        shape = f"{triangles.shape} {triangles.dtype}"
        raise InputError(f"tri: expected integers of shape (M, 3), got {shape}")
    triangles = np.ascontiguousarray(triangles, np.int32)
    # As unsigned numbers negative ones are the largest: one pass tells both ends.
    highest = int(triangles.view(np.uint32).max(initial=0))
    if n_vertices is not None and triangles.size and highest >= n_vertices:
        low, high = int(triangles.min()), int(triangles.max())
        raise InputError(f"tri: expected indices 0 to {n_vertices - 1}, got {low} to {high}")
    # np.ascontiguousarray keeps no subclass, but be plain about it: the kernels want an ndarray.
    return np.asarray(triangles)


def model_table(
    value: npt.ArrayLike | None, tri: Any, name: str, columns: int, n_vertices: int
) -> FloatArray:
    """Return a table of the face model with one row per vertex.

    Parameters
    ----------
    value : array_like or None
        What the caller passed; None takes the attribute `name` of `tri`, which the triangles of a
        loaded face model (``tddfa.tri``) carry. Triangles that lost it, in ``np.array`` or
        ``np.load``, are looked up, see `tddfa.known_tables`.
    tri : ndarray
        Triangles.
    name : str
        Name of the argument and of the attribute.
    columns : int
        Numbers per vertex.
    n_vertices : int
        Length of the table.

    Returns
    -------
    ndarray, shape (n_vertices, columns), float32

    Raises
    ------
    InputError
        If there is no table or it has another size.
    """
    table = getattr(tri, name, None) if value is None else value
    if table is None:
        table = known_table(tri, name)
    if table is None:
        raise InputError(
            f"{name}: expected an array (tri carries none, and is not that of a face model known "
            f"here); pass {name}=…"
        )
    rows = np.asarray(table, np.float32)
    if rows.shape == (columns, n_vertices) and columns != n_vertices:
        if rows.flags.f_contiguous:
            return rows.T
        turned = np.empty((n_vertices, columns), np.float32)
        for column in range(columns):  # a third of the time of np.ascontiguousarray(rows.T)
            turned[:, column] = rows[column]
        return turned
    if rows.shape != (n_vertices, columns):
        raise InputError(
            f"{name}: expected {columns} numbers for each of {n_vertices} vertices, "
            f"got shape {rows.shape}"
        )
    return np.ascontiguousarray(rows)
