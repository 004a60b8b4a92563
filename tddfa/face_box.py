"""Where a detector would draw the box of a face whose landmarks are known.

::

    +--- ROI of the landmarks ---+     The detector's box in units of the ROI, medians over faces
    |     .-- detector's -.      |     found in photographs: center (0.50, 0.385), size 0.67 x 0.88;
    |     |     box       |      |     it begins a little above the ROI.
    |     |               |      |
    |     '---------------'      |
    +----------------------------+
"""

import numpy as np
import numpy.typing as npt

from tddfa.params import FloatArray

# Center x, center y, width, height.
FACE_IN_ROI = (0.495, 0.385, 0.665, 0.878)


def landmark_roi(landmarks: FloatArray) -> list[float]:
    """Return `tddfa.roi.parse_roi_box_from_landmark` without its checks, NaN where it has NaN."""
    low, high = landmarks[:2].min(axis=1), landmarks[:2].max(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        center, half = (low + high) / 2, max(high - low) / np.sqrt(2)
        return [*(center - half).tolist(), *(center + half).tolist()]


def face_boxes_of(roi_boxes: npt.ArrayLike) -> FloatArray:
    """Return the boxes (n, 4) that a detector would give for landmark ROIs (n, 4), in pixels."""
    roi = np.asarray(roi_boxes, np.float64).reshape(-1, 4)
    side = roi[:, 2:] - roi[:, :2]
    center = roi[:, :2] + side * FACE_IN_ROI[:2]
    half = side * FACE_IN_ROI[2:] / 2
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)
