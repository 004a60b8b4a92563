"""Landmarks of face crops by an existing network: the mean over moved, scaled and mirrored ROIs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.errors import InputError
from tddfa.ibug68 import MIRROR
from tddfa.picture import ImageArray
from tddfa.roi import network_input
from training.dataset.batch import CANVAS, INPUT

FloatArray = npt.NDArray[np.floating]

SHIFT, LOG_SCALE = 0.04, 0.06
# In units of both: to the right, down, larger. Each ROI is seen as it is and mirrored.
ROIS = ((0, 0, 0), (1, 1, 1), (-1, -1, -1), (1, -1, -1), (-1, 1, 1), (0, 1, -1), (0, -1, 1))
MOST_VIEWS = 2 * len(ROIS)


def check_views(views: int) -> None:
    """Raise an `InputError` if so many views cannot be had."""
    if views != 1 and not (views % 2 == 0 and 0 < views <= MOST_VIEWS):
        raise InputError(f"--views: expected 1 or an even number up to {MOST_VIEWS}, got {views}")


def roi_boxes(side: int, views: int) -> list[list[float]]:
    """Return the ROIs ``[xmin, ymin, xmax, ymax]`` of a square crop, in whole pixels.

    Examples
    --------
    >>> roi_boxes(168, 1)
    [[24.0, 24.0, 144.0, 144.0]]
    """
    inner, boxes = side * INPUT / CANVAS, []
    for right, down, larger in ROIS[: -(-views // 2)]:
        center = side / 2 + SHIFT * inner * np.array([right, down])
        half = inner / 2 * np.exp(LOG_SCALE * larger)
        corners = np.r_[center - half, center + half]
        boxes.append(np.round(corners).astype(float).tolist())
    return boxes


def mean_of_views(aligner: Aligner, crops: Sequence[ImageArray], views: int = 1) -> FloatArray:
    """Return the landmarks (n, 3, 68) of square crops of one size.

    Parameters
    ----------
    aligner : Aligner
    crops : sequence of n ndarrays, shape (side, side, 3), uint8
        BGR, 1.4 times larger than their ROI.
    views : int
        1, or an even number up to 14.

    Returns
    -------
    ndarray, shape (n, 3, 68), float32
        Pixels of the crop, centers at integers, y down; larger z is nearer.
    """
    side = crops[0].shape[0]
    total = np.zeros((len(crops), 3, 68))
    for box in roi_boxes(side, views):
        total += _look(aligner, crops, box)
        if views > 1:
            mirrored = [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
            other = _look(aligner, mirrored, [side - box[2], box[1], side - box[0], box[3]])
            other[:, 0] = side - 1 - other[:, 0]
            total += other[:, :, MIRROR]
    return np.asarray(total / views, np.float32)


def _look(aligner: Aligner, crops: Sequence[ImageArray], box: list[float]) -> FloatArray:
    batch = np.concatenate([network_input(crop, [box], aligner.size) for crop in crops])
    params = aligner.regress(batch)
    return np.stack(aligner.recon_vers(list(params), [box] * len(crops)))
