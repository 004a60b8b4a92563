"""The frames in which pixels are counted, and the half pixel between them.

::

    edges     0       1       2       3        MediaPipe, ROIs' corners, crops of training
              |   .   |   .   |   .   |
    centers       0       1       2            arrays, OpenCV, the rasterizer, landmarks in pictures
    network      ½+½     1½+½    2½+½          the regressor's crop: counted from 1, y up

An edge coordinate e is e - ½ between centers and e + ½ in the network's frame; there y counts from
the lower edge. docs/conventions.md has the whole way from a parameter to a pixel.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

# What can be added to: arrays and tensors.
Points = TypeVar("Points", bound=Any)

HALF_PIXEL = 0.5


def to_centers(edges: Points) -> Points:
    """Return edge coordinates counted between pixel centers.

    Examples
    --------
    >>> to_centers(np.array([0.0, 1.0])).tolist()
    [-0.5, 0.5]
    """
    return edges - HALF_PIXEL


def to_edges(centers: Points) -> Points:
    """Return coordinates counted between pixel centers as edge coordinates."""
    return centers + HALF_PIXEL


def to_network(edges: Points) -> Points:
    """Return edge coordinates, y up, in the network's frame, which counts pixels from 1."""
    return edges + HALF_PIXEL


def from_network(points: Points) -> Points:
    """Return coordinates of the network's frame as edge coordinates, y up."""
    return points - HALF_PIXEL


def turned_over(points: npt.NDArray[Any], height: float) -> npt.NDArray[Any]:
    """Return points (..., 2 | 3) with edge coordinates y counted from the other edge.

    Parameters
    ----------
    points : ndarray, shape (..., 2 | 3)
        x, y (, z); y up or down.
    height : float
        Of the picture, in pixels.

    Examples
    --------
    >>> turned_over(np.array([[1.0, 0.0], [2.0, 30.0]]), 120).tolist()
    [[1.0, 120.0], [2.0, 90.0]]
    """
    out = np.array(points)
    out[..., 1] = height - out[..., 1]
    return out
