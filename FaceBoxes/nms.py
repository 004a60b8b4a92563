"""Greedy non-maximum suppression (NMS)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from FaceBoxes._nms import suppress
from tddfa.errors import InputError


def nms(dets: ArrayLike, threshold: float = 0.3, max_kept: int | None = None) -> NDArray[np.intp]:
    """Return the detections that remain when each removes its weaker neighbors.

    Detections are visited by falling score (ties in the order given); each one that is left
    removes those after it whose intersection over union (IoU) with it reaches the threshold.

    Parameters
    ----------
    dets : array_like, float32 (n, 5)
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels. The corners are pixels of the box, so its
        width is ``xmax − xmin + 1``. A row with a NaN or an infinity is never kept.
    threshold : float
        Smallest IoU that removes a detection, above 0 and at most 1.
    max_kept : int, optional
        Stop after so many.

    Returns
    -------
    ndarray, intp (k,)
        Row numbers of those that remain, by falling score.

    Raises
    ------
    InputError
        If `dets` has another shape or the threshold is out of range.

    Examples
    --------
    >>> nms([[0, 0, 9, 9, 0.8], [1, 0, 9, 9, 0.9], [40, 0, 49, 9, 0.7]])
    array([1, 2])
    """
    table = np.asarray(dets, np.float32)
    if table.size == 0:
        table = table.reshape(0, 5)
    if table.ndim != 2 or table.shape[1] != 5:
        raise InputError(f"dets: expected an array (n, 5), got {table.shape}")
    if not 0 < threshold <= 1:
        raise InputError(f"threshold: expected 0 < threshold <= 1, got {threshold}")
    finite = np.flatnonzero(np.isfinite(table).all(axis=1))
    order = finite[np.argsort(-table[finite, 4], kind="stable")]
    boxes = np.ascontiguousarray(table[order, :4])
    with np.errstate(over="ignore"):
        areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    limit = len(order) if max_kept is None else max_kept
    suppressed = np.zeros(len(order), np.uint8)
    kept = np.empty(len(order), np.intp)
    count = suppress(boxes, areas, threshold, limit, suppressed, kept)
    return order[kept[:count]]
