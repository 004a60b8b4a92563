"""Turn the network's box offsets into boxes and back.

Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, equation 2, with the variances
of its published code.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

CENTER_VARIANCE = 0.1
SIZE_VARIANCE = 0.2


def decode(loc: ArrayLike, priors: ArrayLike) -> NDArray[np.float32]:
    """Return the boxes that the network's offsets stand for.

    Parameters
    ----------
    loc : array_like, float32 (n, 4)
        Offsets of center and size relative to the priors, divided by the variances.
    priors : array_like, float32 (n, 4)
        Prior boxes ``cx, cy, w, h``.

    Returns
    -------
    ndarray, float32 (n, 4)
        Corners ``xmin, ymin, xmax, ymax`` in the unit of the priors. Offsets beyond the range of
        float32 give infinite corners.
    """
    loc, priors = np.asarray(loc, np.float32), np.asarray(priors, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        center = priors[:, :2] + loc[:, :2] * np.float32(CENTER_VARIANCE) * priors[:, 2:]
        size = priors[:, 2:] * np.exp(loc[:, 2:] * np.float32(SIZE_VARIANCE))
        corner = center - size / 2
        return np.concatenate((corner, corner + size), axis=1)


def encode(boxes: ArrayLike, priors: ArrayLike) -> NDArray[np.float32]:
    """Return the offsets that `decode` turns back into `boxes`.

    Parameters
    ----------
    boxes : array_like, float32 (n, 4)
        Corners ``xmin, ymin, xmax, ymax`` in the unit of the priors, with positive sides.
    priors : array_like, float32 (n, 4)
        The prior box ``cx, cy, w, h`` matched to each box.

    Returns
    -------
    ndarray, float32 (n, 4)
        Offsets, the targets of training.
    """
    boxes, priors = np.asarray(boxes, np.float32), np.asarray(priors, np.float32)
    size = boxes[:, 2:] - boxes[:, :2]
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    offset = (center - priors[:, :2]) / (np.float32(CENTER_VARIANCE) * priors[:, 2:])
    growth = np.log(size / priors[:, 2:]) / np.float32(SIZE_VARIANCE)
    return np.concatenate((offset, growth), axis=1)
