"""Of what several searches of a picture found, keep each face once.

Boxes of one face overlap, or one lies within the other: a tile's border cuts a face, and a nose
alone looks like one at a finer scale.
"""

import numpy as np
from numpy.typing import NDArray

from FaceBoxes.nms import nms
from tddfa.iou import iou_matrix

__all__ = ["each_once", "not_among"]

# Of two detections one is superfluous from this share of the smaller one's area on.
_SAME = 0.6


def each_once(boxes: NDArray[np.float32], nms_threshold: float) -> NDArray[np.float32]:
    """Drop the weaker of detections that overlap, or of which one lies within the other.

    Parameters
    ----------
    boxes : ndarray, float32 (n, 5)
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels, in any order.
    nms_threshold : float
        IoU from which on two boxes are of one face.

    Returns
    -------
    ndarray, float32 (m, 5)
        Rows by falling score.

    Examples
    --------
    >>> both = np.array([[10, 10, 20, 20, 0.7], [0, 0, 40, 40, 0.9]], np.float32)
    >>> each_once(both, 0.3)[:, :4].tolist()
    [[0.0, 0.0, 40.0, 40.0]]
    """
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    boxes = boxes[nms(boxes, nms_threshold)]
    kept: list[int] = []
    for k in range(len(boxes)):
        if not (_shared_parts(boxes[k : k + 1], boxes[kept]) > _SAME).any():
            kept.append(k)
    return boxes[kept]


def not_among(
    boxes: NDArray[np.float32], others: NDArray[np.float32], nms_threshold: float
) -> NDArray[np.float32]:
    """Return the boxes (n, 5) that are of none of the faces that others (m, 5) are of.

    Parameters
    ----------
    boxes, others : ndarray, float32
        Rows as for `each_once`.
    nms_threshold : float
        As there.

    Examples
    --------
    >>> known = np.array([[0, 0, 40, 40, 0.6]], np.float32)
    >>> found = np.array([[10, 10, 20, 20, 0.9], [50, 0, 60, 10, 0.8]], np.float32)
    >>> not_among(found, known, 0.3)[:, :4].tolist()
    [[50.0, 0.0, 60.0, 10.0]]
    """
    overlap = iou_matrix(boxes, others) >= nms_threshold
    return boxes[~(overlap | (_shared_parts(boxes, others) > _SAME)).any(axis=1)]


def _shared_parts(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what share of the smaller one's area each pair of boxes has in common, (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:4], second[None, :, 2:4])
    inner = np.prod(np.maximum(high - low, 0), axis=2)
    least = np.minimum(_areas(first)[:, None], _areas(second)[None])
    return np.asarray(np.divide(inner, least, out=np.zeros_like(inner), where=least > 0))


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.prod(np.maximum(boxes[:, 2:4] - boxes[:, :2], 0), axis=1))
