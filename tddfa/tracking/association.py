"""Which detection belongs to which track."""

import numpy as np

from tddfa.iou import iou_matrix
from tddfa.params import FloatArray

__all__ = ["iou_matrix", "match"]

Pairs = list[tuple[int, int]]


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
