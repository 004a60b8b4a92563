"""What the drawing functions draw on, and the meshes that they draw."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from Sim3DR.threads import share
from tddfa.drawing.checks import FloatArray, IntArray, as_triangles
from tddfa.known_tables import known_table
from tddfa.picture import ImageArray
from tddfa.topology import Topology, triangles_outside

# Copying less than this is not worth a second thread.
_MIN_BYTES = 1 << 21


def canvas(picture: ImageArray, with_background: bool, n_threads: int = 1) -> ImageArray:
    """Return a copy of the picture, or a black one of its size.

    Parameters
    ----------
    picture : ndarray, shape (H, W, 3), uint8
    with_background : bool
        Copy the picture.
    n_threads : int
        Threads that copy: most of the time goes into the fresh memory's first touch, which they
        share.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
    """
    if not with_background:
        return np.zeros_like(picture)
    n_bands = min(n_threads, picture.nbytes // _MIN_BYTES)
    if n_bands < 2:
        return picture.copy()
    out = np.empty_like(picture)
    cuts = [len(picture) * band // n_bands for band in range(n_bands + 1)]
    share(lambda a, b: np.copyto(out[a:b], picture[a:b]), pairwise(cuts), n_bands)
    return out


def meshes(faces: list[FloatArray], tri: npt.ArrayLike) -> Iterator[tuple[FloatArray, IntArray]]:
    """Yield each face's vertices as rows, (N, 3), and the triangles to draw, checked.

    The mouth's inside is not drawn, where the triangles know it or are known themselves (see
    `tddfa.known_tables`): an open mouth shows the picture.

    Parameters
    ----------
    faces : list of ndarray, shape (3, N), float32
    tri : ndarray, shape (M, 3), int32

    Yields
    ------
    points : ndarray, shape (N, 3), float32
    triangles : ndarray, shape (M, 3), int32

    Raises
    ------
    InputError
        If the triangles have a wrong shape or name a vertex that a face lacks.
    """
    checked: dict[int, IntArray] = {}
    for vertices in faces:
        n_vertices = vertices.shape[1]
        if n_vertices not in checked:
            checked[n_vertices] = _outside(tri, as_triangles(tri, n_vertices), n_vertices)
        points = np.empty((n_vertices, 3), np.float32)
        for axis in range(3):  # a third of the time of np.ascontiguousarray(vertices.T)
            points[:, axis] = vertices[axis]
        yield points, checked[n_vertices]


def _outside(tri: npt.ArrayLike, triangles: IntArray, n_vertices: int) -> IntArray:
    """Return the triangles that are not between vertices of the mouth's inside alone."""
    inside = tri.inside if isinstance(tri, Topology) else known_table(tri, "inside")
    if inside is None or len(inside) != n_vertices:
        return triangles
    if isinstance(tri, Topology) and tri.shape == triangles.shape:
        return tri.outside(inside)
    return triangles_outside(triangles, inside)
