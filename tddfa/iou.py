"""How much boxes overlap."""

import numpy as np
import numpy.typing as npt

from tddfa.params import FloatArray


def iou_matrix(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Return the intersection over union of every pair of boxes.

    Parameters
    ----------
    first, second : array_like, shape (n, 4) and (m, 4)
        Boxes ``[xmin, ymin, xmax, ymax]`` in pixels; further columns are ignored.

    Returns
    -------
    ndarray, shape (n, m), float32
        In [0, 1]; 0 where a box is empty or not finite.

    Examples
    --------
    >>> iou_matrix([[0, 0, 2, 2]], [[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]]).round(2).tolist()
    [[1.0, 0.33000001311302185, 0.0]]
    """
    a, b = (_corners(boxes) for boxes in (first, second))
    with np.errstate(invalid="ignore", over="ignore"):
        low = np.maximum(a[:, None, :2], b[None, :, :2])
        high = np.minimum(a[:, None, 2:], b[None, :, 2:])
        inner = np.prod(np.maximum(high - low, 0), axis=2)
        union = _area(a)[:, None] + _area(b)[None] - inner
        quotient = np.divide(inner, union, out=np.zeros_like(inner), where=union > 0)
    return np.nan_to_num(quotient, nan=0.0, posinf=0.0).astype(np.float32)


def _corners(boxes: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = np.asarray(boxes, np.float64)
    return array[:, :4] if array.size else np.zeros((0, 4))


def _area(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    area: npt.NDArray[np.float64] = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    return area
