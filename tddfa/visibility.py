r"""Which vertices of a face can be seen.

::

    viewer (z up here)      A vertex is seen if one of its triangles faces the viewer and the
       |     |              nearest surface drawn at its place is not nearer than itself by more
       v     v              than a tolerance.
      .-.           .-.     The mesh is drawn at a size of its own, not the picture's: a face of
     /   \  hidden /   \    20 pixels has its vertices closer together than its pixels.
    nose  `--x-----'  cheek
"""

import numpy as np
import numpy.typing as npt

from Sim3DR import rasterize_triangles
from tddfa.params import FloatArray

BoolArray = npt.NDArray[np.bool_]
# Pixels of the face's longer side while it is drawn.
_SIDE = 400
# Depth in parts of the face's longer side that a surface may be nearer without hiding a vertex.
_TOLERANCE = 0.012
# Least z of a triangle's unit normal: what is turned away more is seen from behind, or edge-on.
_FACING = 0.05
# A landmark is seen if something within this part of the face's longer side is.
_NEAR = 0.05


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
    >>> nearer = square * np.float32(0.5) + np.float32([[-1], [-1], [8]])
    >>> tri = np.int32([[0, 1, 2], [1, 3, 2]])
    >>> visible_vertices(np.hstack([square, nearer]), np.vstack([tri, tri + 4])).tolist()
    [False, True, True, True, True, True, True, True]
    """
    low = vertices.min(axis=1, keepdims=True)
    extent = float(np.ptp(vertices[:2], axis=1).max())
    if not np.isfinite(extent) or extent <= 0:
        return np.zeros(vertices.shape[1], np.bool_)
    zoom = np.float32((_SIDE - 4) / extent)
    points = np.ascontiguousarray(((vertices - low) * zoom + 1).T)
    depth = rasterize_triangles(points, triangles, _SIDE, _SIDE).depth
    column, row = np.floor(points[:, :2]).astype(np.int32).T
    # The second farthest of the four pixels around: a slope must not hide its own vertices, nor
    # a single pixel beside an outline show what lies behind it.
    around = np.stack([depth[row + i, column + j] for i in (0, 1) for j in (0, 1)])
    behind = np.partition(around, 1, axis=0)[1]
    seen = points[:, 2] >= behind - _TOLERANCE * _SIDE
    seen &= _facing(points, triangles)
    if image_size is not None:
        x, y = vertices[:2]
        seen &= (x >= -0.5) & (x <= image_size[1] - 0.5) & (y >= -0.5) & (y <= image_size[0] - 0.5)
    return np.asarray(seen, np.bool_)


def visible_landmarks(
    vertices: FloatArray, keypoints: npt.NDArray[np.integer], seen: BoolArray
) -> BoolArray:
    """Tell which landmarks can be seen: those that are, or lie close to what is.

    Their own vertices would not do: they lie in the folds of lids and lips, and in a frontal view
    the jaw's slip some millimetres behind the cheeks, where everybody would point at them.

    Parameters
    ----------
    vertices : ndarray, shape (3, N), float32
    keypoints : ndarray, shape (68,), int
        The landmarks' vertices.
    seen : ndarray, shape (N,), bool
        What `visible_vertices` returned.

    Returns
    -------
    ndarray, shape (68,), bool
    """
    radius = _NEAR * float(np.ptp(vertices[:2], axis=1).max())
    shown, visible = vertices[:, seen], seen[keypoints].copy()
    for number in np.flatnonzero(~visible):
        away = shown - vertices[:, keypoints[number], None]
        visible[number] = (np.einsum("ij,ij->j", away, away) <= radius**2).any()
    return visible


def _facing(points: FloatArray, triangles: npt.NDArray[np.int32]) -> BoolArray:
    """Tell which vertices belong to a triangle that faces the viewer.

    Their own normals would not do: those on the rims of lids and lips point into the slit.
    """
    corner = points[triangles[:, 0]]
    normals = np.cross(points[triangles[:, 1]] - corner, points[triangles[:, 2]] - corner)
    towards = normals[:, 2] >= _FACING * np.linalg.norm(normals, axis=1)
    facing = np.zeros(len(points), np.bool_)
    facing[triangles[towards & normals.any(axis=1)]] = True
    return facing
