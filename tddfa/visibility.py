r"""Which vertices of a face can be seen.

::

    viewer (z up here)      A vertex is seen if it faces the viewer and the nearest surface drawn
       |     |              at its place is not nearer than itself by more than a tolerance.
       v     v
      .-.           .-.     The mesh is drawn at a size of its own, not the picture's: a face of
     /   \  hidden /   \    20 pixels has its vertices closer together than its pixels.
    nose  `--x-----'  cheek
"""

import numpy as np
import numpy.typing as npt

from Sim3DR import get_normal, rasterize_triangles
from tddfa.params import FloatArray

BoolArray = npt.NDArray[np.bool_]
# Pixels of the face's longer side while it is drawn.
_SIDE = 400
# Depth in parts of the face's longer side that a surface may be nearer without hiding a vertex.
_TOLERANCE = 0.012
# Least z of a unit normal: what is turned away more is seen from behind, or edge-on.
_FACING = 0.05


def visible_vertices(
    vertices: FloatArray,
    triangles: npt.NDArray[np.int32],
    image_size: tuple[int, int] | None = None,
) -> BoolArray:
    """Tell which vertices are not hidden by the face itself.

    Other faces, hands and hair are not known and hide nothing.

    Parameters
    ----------
    vertices : ndarray, shape (3, N), float32
        Pixels, y down, larger z nearer.
    triangles : ndarray, shape (M, 3), int32
        In the picture's order, see `tddfa.topology`.
    image_size : (int, int), optional
        Height and width of the picture; vertices beyond it are not visible.

    Returns
    -------
    ndarray, shape (N,), bool

    Examples
    --------
    >>> square = np.float32([[0, 9, 0, 9], [0, 0, 9, 9], [0, 0, 0, 0]])
    >>> near = np.hstack([square, square * 0.5 + [[2], [2], [8]]]).astype(np.float32)
    >>> tri = np.int32([[0, 2, 1], [1, 2, 3]])
    >>> visible_vertices(near, np.vstack([tri, tri + 4])).tolist()
    [True, True, True, True, True, True, True, True]
    """
    low = vertices.min(axis=1, keepdims=True)
    extent = float(np.ptp(vertices[:2], axis=1).max())
    if not np.isfinite(extent) or extent <= 0:
        return np.zeros(vertices.shape[1], np.bool_)
    zoom = np.float32((_SIDE - 4) / extent)
    points = np.ascontiguousarray(((vertices - low) * zoom + 1).T)
    depth = rasterize_triangles(points, triangles, _SIDE, _SIDE).depth
    column, row = np.floor(points[:, :2]).astype(np.int32).T
    # The farthest of the four pixels around: a slope must not hide its own vertices.
    behind = np.minimum.reduce([depth[row + i, column + j] for i in (0, 1) for j in (0, 1)])
    seen = points[:, 2] >= behind - _TOLERANCE * _SIDE
    seen &= get_normal(points, triangles)[:, 2] >= _FACING
    if image_size is not None:
        x, y = vertices[:2]
        seen &= (x >= -0.5) & (x <= image_size[1] - 0.5) & (y >= -0.5) & (y <= image_size[0] - 0.5)
    return np.asarray(seen, np.bool_)
