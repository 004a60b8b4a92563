"""Non-maximum suppression under the reference's name."""

import numpy as np
import numpy.typing as npt

from FaceBoxes.nms import nms as _nms

__all__ = ["nms"]


def nms(dets: npt.ArrayLike, thresh: float) -> list[int]:
    """Return the rows that remain, by falling score, as a list.

    Parameters
    ----------
    dets : array_like, shape (n, 5)
        ``xmin, ymin, xmax, ymax, score`` in pixels.
    thresh : float
        Smallest intersection over union that removes the weaker of two.
    """
    rows: list[int] = _nms(np.asarray(dets, np.float32), thresh).tolist()
    return rows
