r"""Look at faces a second time, closer: the ROI around what the first look found.

A detector's box says roughly where a face is; the landmarks of a first look say it better, and the
network errs less in a ROI that fits, as in a video, where the last frame's landmarks give it (Zhu
et al.'s first 3DDFA had such a second step as well)::

    +---------+  first look   +---------+      +------+  second look, also in a mirror
    |  .---.  | ------------> | :'''':  | ---> | :'''':   (tddfa.mirrored_look)
    |  |o o|  |   landmarks   | : .. :  | ROI  | : .. :
    |  '---'  |               | '----'  |      | '----'
    +---------+               +---------+      +------+
    detector's ROI
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tddfa.iou import iou_matrix
from tddfa.params import N_CAMERA, FloatArray
from tddfa.roi import square_around

__all__ = ["closer_rois", "params_in", "were_off"]

# Overlap of both ROIs from which on the second is believed. Of faces it is 0.5 to 0.9; where the
# first look was lost its landmarks lie anywhere.
_LEAST_OVERLAP = 0.4
# A box that sits right has a ROI 1.22 times as wide as the landmarks' (training.detector.boxes), so
# that both overlap by 1 / 1.22² = 0.67. Below this it was off, and so may be what was found in it.
_RIGHT_OVERLAP = 0.65


def _overlap(roi: Sequence[float], other: Sequence[float]) -> float:
    return float(iou_matrix([list(roi)], [list(other)])[0, 0])


def _in_whole_pixels(roi: Sequence[float]) -> list[float]:
    """Return a ROI as `tddfa.roi.crop_img` cuts it, so that what is found there lies where it says.

    A ROI of NaN stays as it is.
    """
    left, top, right, _ = roi
    if not np.isfinite([left, top, right]).all():
        return list(roi)
    left, top, side = round(left), round(top), round(right - left)
    return [float(left), float(top), float(left + side), float(top + side)]


def were_off(roi_boxes: Sequence[Sequence[float]], closer: Sequence[Sequence[float]]) -> list[int]:
    """Return which ROIs were so far from the closer ones that these deserve another look.

    Parameters
    ----------
    roi_boxes, closer : sequences of n ``[xmin, ymin, xmax, ymax]``
        Where a look looked, and what `closer_rois` made of it.

    Examples
    --------
    >>> were_off([[0, 0, 122, 122], [60, 0, 182, 122]], [[11, 11, 111, 111], [11, 11, 111, 111]])
    [1]
    """
    pairs = enumerate(zip(roi_boxes, closer, strict=True))
    return [i for i, (roi, other) in pairs if _overlap(roi, other) < _RIGHT_OVERLAP]


def closer_rois(
    landmarks: Sequence[npt.ArrayLike],
    roi_boxes: Sequence[Sequence[float]],
    given: Sequence[Sequence[float]] | None = None,
) -> list[list[float]]:
    """Return the ROIs around landmarks, or, where these are far from their ROI, that ROI again.

    Parameters
    ----------
    landmarks : sequence of n arrays, shape (2 | 3, 68)
        What the first look found, in pixels of the picture.
    roi_boxes : sequence of n ``[xmin, ymin, xmax, ymax]``
        Where it looked, in pixels.
    given : sequence of n ROIs, optional
        Where faces were said to be in the beginning: a look after the first may not leave that,
        either, or it could end on a neighbor.

    Returns
    -------
    list of n ``[xmin, ymin, xmax, ymax]``
    """
    found = []
    starts = roi_boxes if given is None else given
    for points, roi, start in zip(landmarks, roi_boxes, starts, strict=True):
        closer = _in_whole_pixels(square_around(points))
        near = min(_overlap(closer, roi), _overlap(closer, start)) >= _LEAST_OVERLAP
        found.append(closer if near else list(roi))
    return found


def params_in(
    params: npt.ArrayLike,
    roi_boxes: Sequence[Sequence[float]],
    others: Sequence[Sequence[float]],
    size: int = 120,
) -> FloatArray:
    """Return parameters found in ROIs as if they had been found in others: the same faces.

    Parameters
    ----------
    params : array_like, shape (n, 62 | 72 | 141)
        De-normalized parameters.
    roi_boxes, others : sequences of n ``[xmin, ymin, xmax, ymax]``
        Squares in pixels: where they were found, and where they shall hold.
    size : int
        Side of the network's input.

    Returns
    -------
    ndarray, of the same shape, float32
    """
    moved = np.array(params, np.float32)
    camera = moved[:, :N_CAMERA].reshape(-1, 3, 4)
    old, new = (np.asarray(rois, np.float64).reshape(-1, 4) for rois in (roi_boxes, others))
    scale, other = (old[:, 2] - old[:, 0]) / size, (new[:, 2] - new[:, 0]) / size
    # x_img = (x - 1)·s + xmin, y_img = (size - y)·s + ymin, z_img = (z - 1)·s
    fixed = np.array([1.0, size, 1.0])
    shift = np.stack([old[:, 0] - new[:, 0], new[:, 1] - old[:, 1], np.zeros(len(old))], 1)
    camera *= (scale / other)[:, None, None]
    camera[:, :, 3] += fixed * (1 - scale / other)[:, None] + shift / other[:, None]
    return moved
