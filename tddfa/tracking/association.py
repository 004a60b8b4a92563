"""Which detection belongs to which track."""

import numpy as np
import numpy.typing as npt

from tddfa.params import FloatArray

Pairs = list[tuple[int, int]]


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


def match(overlap: FloatArray, least: float) -> Pairs:
    """Assign rows to columns one to one, so that the sum of overlaps is largest.

    Parameters
    ----------
    overlap : ndarray, shape (n, m)
        Intersection over union.
    least : float
        Pairs that overlap less are no pairs.

    Returns
    -------
    list of (row, column)
        By row; at most min(n, m) pairs.

    Examples
    --------
    >>> match(np.array([[0.6, 0.5], [0.5, 0.1]]), 0.3)
    [(0, 1), (1, 0)]
    """
    if not overlap.size:
        return []
    # Pairs below the threshold must not draw others away from better ones.
    gain = np.where(overlap >= least, overlap, 0.0)
    if 1 in gain.shape:  # the common case, without the third of a second that SciPy takes to load
        best = np.unravel_index(int(gain.argmax()), gain.shape)
        pairs = [(int(best[0]), int(best[1]))]
    else:
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(gain, maximize=True)
        pairs = [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]
    return [pair for pair in pairs if gain[pair] > 0]
