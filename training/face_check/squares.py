"""Squares around faces, and their roll: the answers that the face check learns."""

import numpy as np
import numpy.typing as npt

from tddfa.detector_box import ROI_BELOW_BOX, ROI_PER_BOX
from training.dataset.batch import CANVAS
from training.detector.boxes import (
    ABOVE_LANDMARKS,
    ROI_PER_LANDMARKS,
    FloatArray,
)


def roi_squares(boxes: FloatArray) -> FloatArray:
    """Return center (x, y) and side (n, 3) of the ROIs of boxes (n, 4)."""
    side = (boxes[:, 2:4] - boxes[:, :2]).mean(axis=1)
    center = (boxes[:, :2] + boxes[:, 2:4]) / 2
    center = center + np.stack([np.zeros(len(boxes)), ROI_BELOW_BOX * side], axis=1)
    return np.column_stack([center, ROI_PER_BOX * side]).astype(np.float32)


def landmark_squares(points: npt.NDArray[np.floating]) -> FloatArray:
    """Return center (x, y, y down) and side (n, 3) of the ROIs of labels' landmarks.

    Parameters
    ----------
    points : ndarray, shape (n, 68, 2 | 3)
        In the canvas frame, y up, see `training.dataset.batch.Crops`.
    """
    low, high = points[:, :, :2].min(axis=1), points[:, :, :2].max(axis=1)
    side = np.sqrt(2) * (high - low).max(axis=1)
    x, y = ((low + high) / 2).T
    return np.column_stack(
        [x, CANVAS - y - ABOVE_LANDMARKS * side, ROI_PER_LANDMARKS * side]
    ).astype(np.float32)


def camera_rolls(camera: npt.NDArray[np.floating]) -> FloatArray:
    """Return the rolls (n,) of labels' cameras (n, 3, 4), as `tddfa.upright.in_plane_roll`."""
    up = camera[:, :2, 1]
    return np.degrees(np.arctan2(-up[:, 0], up[:, 1])).astype(np.float32)
