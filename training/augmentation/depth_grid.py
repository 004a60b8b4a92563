"""The depth of a face and of what is around it, as a picture.

The face's own mesh gives the depth where it is; around it the surface falls smoothly to a plane
behind the face, as the solution of Laplace's equation (face profiling, Zhu et al., CVPR 2016, in
its simplest form). Hair and neck so move with the face and bend to the background.
"""

import cv2
import numpy as np
import numpy.typing as npt

from Sim3DR import rasterize_triangles

FloatArray = npt.NDArray[np.float32]

# The plane lies this far behind the farthest seen vertex, in steps of the grid.
BACKGROUND_GAP = 1.5
RELAXATION = 1.7
SWEEPS = 60


def depth_grid(
    vertices: FloatArray,
    triangles: npt.NDArray[np.int32],
    origin: tuple[float, float],
    step: float,
    shape: tuple[int, int],
) -> FloatArray:
    """Sample the surface on a grid.

    Parameters
    ----------
    vertices : ndarray, shape (N, 3)
        x to the right, y down, z to the viewer, in pixels counted from the picture's edge.
    triangles : ndarray, shape (M, 3), int32
    origin : (float, float)
        x and y of the grid's first node.
    step : float
        Distance of nodes in pixels.
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    ndarray, shape `shape`, float32
        z in pixels.
    """
    nodes = np.asarray(vertices, np.float32).copy()
    nodes[:, 0] = (nodes[:, 0] - origin[0]) / step
    nodes[:, 1] = (nodes[:, 1] - origin[1]) / step
    found = rasterize_triangles(nodes, triangles, *shape)
    known = found.triangle >= 0
    if not known.any():
        return np.zeros(shape, np.float32)
    back = float(found.depth[known].min()) - BACKGROUND_GAP * step
    depth = np.where(known, found.depth, np.float32(back))
    return _relax(depth, known)


def _relax(depth: FloatArray, known: npt.NDArray[np.bool_]) -> FloatArray:
    """Solve Laplace's equation where `known` is false; the frame keeps its value.

    Successive over-relaxation on the two colors of a chessboard, each a whole-array step.
    """
    rows, columns = np.indices(depth.shape)
    kernel = np.array([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]], np.float32)
    free = ~known
    free[[0, -1]] = False
    free[:, [0, -1]] = False
    # A weighted step on the whole array is faster than one on the chosen places.
    odd = (rows + columns) % 2 == 1
    steps = [(RELAXATION * (free & color)).astype(np.float32) for color in (odd, ~odd)]
    for _ in range(SWEEPS):
        for step in steps:
            mean = np.asarray(cv2.filter2D(depth, -1, kernel), np.float32)
            mean -= depth
            mean *= step
            depth += mean
    return depth
