"""What the box of a detector stands for: the ROI that is made of it, at any roll (`tddfa.roi`)."""

import numpy as np
import numpy.typing as npt

from tddfa.params import FloatArray

# The ROI of a detector's box is 1.58 boxes wide (mean of width and height) and lies 0.14 lower.
ROI_PER_BOX, ROI_BELOW_BOX = 1.58, 0.14


def moved_boxes(boxes: FloatArray, matrix: npt.NDArray[np.floating]) -> FloatArray:
    """Return the boxes (n, 4) of faces after a similarity (2, 3) of their picture.

    A box stands for the ROI that is made of it. The middle of that ROI moves with the picture, so
    that the regressor sees the same part of a face at any roll; the box stays upright, keeps its
    proportions, and lies above the ROI's middle as ever::

        upright      rolled by 90      upside down
        +---+           +---+             +---+
        | o |           |   |             | ^ |    the mark: the middle of the ROI, which is
        | v |           | < |  <- face    | o |    that of the landmarks at any roll
        +---+           +---+             +---+
    """
    size = boxes[:, 2:4] - boxes[:, :2]
    below = np.zeros((len(boxes), 2))
    below[:, 1] = ROI_BELOW_BOX * size.mean(axis=1)
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2 + below
    zoom = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    center = middle @ matrix[:, :2].T + matrix[:, 2] - zoom * below
    half = zoom * size / 2
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)
