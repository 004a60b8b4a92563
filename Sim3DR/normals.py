"""Vertex normals of a triangle mesh."""

import numpy as np
from numpy.typing import ArrayLike

from ._checks import FloatArray, as_mesh
from ._normals import vertex_normals


def get_normal(vertices: ArrayLike, triangles: ArrayLike) -> FloatArray:
    """Return the unit normal of each vertex: the sum of its face normals, normalized.

    The face normal ``(p1 - p0) × (p2 - p0)`` is not normalized before, so that large triangles
    count more.

    Parameters
    ----------
    vertices : (N, 3) array
        Any unit and frame. A triangle with a coordinate that is not finite is left out.
    triangles : (M, 3) array of integers
        Vertex indices, 0-based.

    Returns
    -------
    (N, 3) float32 array
        Unit vectors; zero where no triangle with area meets.

    Raises
    ------
    TypeError, ValueError
        If a type, a shape or a vertex index is wrong; the message names the parameter.

    Examples
    --------
    >>> get_normal([[0, 0, 0], [2, 0, 0], [0, 2, 0]], [[0, 1, 2]])[0]
    array([0., 0., 1.], dtype=float32)
    """
    points, faces = as_mesh(vertices, triangles)
    normals = np.empty_like(points)
    vertex_normals(points, faces, np.zeros(points.shape, dtype=np.float64), normals)
    return normals
