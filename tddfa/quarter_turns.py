"""Search a picture that was turned by quarters, and bring what is found back.

::

    +---------+                 +------+
    |  o   .  |   one quarter   |   .  |    the middle of a face's ROI moves with the picture; the
    |      .  |   ----------->  | o    |    box stays upright around it and as large, as detectors
    +---------+                 +------+    box rolled faces
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tddfa.detector import fit_within
from tddfa.detector_box import moved_boxes
from tddfa.params import FloatArray
from tddfa.picture import ImageArray

# A picture in which nothing was found is believed to lie if a face is as clear as that: further
# searches are further chances to take something else for one.
CLEAR = 0.9


def quarters_of(roll: float) -> int:
    """Return the counterclockwise quarters, 0 to 3, that bring a rolled face next to upright.

    Parameters
    ----------
    roll : float
        Degrees, positive where the face's top leans towards the picture's left.

    Examples
    --------
    >>> [quarters_of(roll) for roll in (0, 44, 90, 180, -90)]
    [0, 0, 3, 2, 1]
    """
    return round(-roll / 90) % 4


def found_turned(
    detect: Callable[[ImageArray], FloatArray],
    image: ImageArray,
    quarters: int,
    longest: int | None = None,
) -> FloatArray:
    """Search a picture turned by so many quarters counterclockwise.

    Parameters
    ----------
    detect : callable
        Picture to rows ``xmin, ymin, xmax, ymax, score``.
    image : ndarray, shape (H, W, 3), uint8
    quarters : int
    longest : int, optional
        Longest side in pixels to which the picture is shrunk before it is turned, where the
        detector shrinks it anyway.

    Returns
    -------
    ndarray, shape (n, 5), float32
        The same rows in pixels of `image`.
    """
    small, scale = (image, 1.0) if longest is None else fit_within(image, longest, longest)
    boxes = detect(np.ascontiguousarray(np.rot90(small, quarters)))
    boxes = turned_back(boxes, quarters, small.shape[:2])
    boxes[:, :4] /= np.float32(scale)
    return boxes


def turned_back(
    boxes: FloatArray, quarters: int, shape: tuple[int, ...] | npt.ArrayLike
) -> FloatArray:
    """Bring boxes that were found in ``np.rot90(picture, quarters)`` back to the picture.

    Parameters
    ----------
    boxes : ndarray, shape (n, 5)
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels of the turned picture.
    quarters : int
        Counterclockwise quarters, 0 to 3.
    shape : (int, int)
        Height and width of the picture.

    Returns
    -------
    ndarray, shape (n, 5), float32
        The middles of the ROIs move with the picture, the boxes stay upright and as large.

    Examples
    --------
    >>> seen = np.array([[10, 0, 110, 100, 1]], np.float32)  # its ROI is around (60, 64)
    >>> turned_back(seen, 1, (300, 200)).tolist()
    [[86.0, -4.0, 186.0, 96.0, 1.0]]
    """
    height, width = np.asarray(shape)[:2]
    back = (
        [[1, 0, 0], [0, 1, 0]],
        [[0, -1, width], [1, 0, 0]],
        [[-1, 0, width], [0, -1, height]],
        [[0, 1, 0], [-1, 0, height]],
    )[quarters % 4]
    corners = moved_boxes(boxes[:, :4], np.array(back, np.float64))
    return np.column_stack([corners, boxes[:, 4]]).astype(np.float32)
