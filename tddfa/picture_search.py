"""Find the faces of a still picture: whole, in tiles, and turned by quarters for faces that lie.

A detector knows upright faces best, and one that the face check stands behind meets enough rolled
ones to tell how a picture lies. So such a picture is turned and searched again::

    +---------+              +------+
    |  o   .  |  a quarter   |   .  |     what is found there is brought back; the box stays upright
    |      .  |  ------->    | o    |     around the middle of the face's ROI, as the detector draws
    +---------+              +------+     the boxes of rolled faces

where nothing was found, by all three quarters; where faces were, by the quarters by which they are
rolled. A picture with upright faces alone is searched once.
"""

import numpy as np
import numpy.typing as npt

from FaceBoxes.tiles import detect_faces
from tddfa.detector import Detector, fit_within
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.face_check.looks import LEAST_CERTAINTY, ROI_BELOW_BOX
from tddfa.iou import iou_matrix
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.roi import parse_roi_box_from_bbox

__all__ = ["find_faces"]

# A picture in which nothing was found is believed to lie if a face is as clear as that: three more
# searches are three more chances to take something else for one.
_CLEAR = 0.9
# A face found twice overlaps itself from this IoU on; its box moves when it is seen turned.
_SAME = 0.3
# Longest side, in pixels, of a picture that is turned: detectors shrink it anyway.
_LONGEST = 1080


def find_faces(
    detector: Detector,
    image: ImageArray,
    detect_scale: float | None = None,
    turned: bool = True,
) -> FloatArray:
    """Find the faces of a still picture of any size and shape, at any roll.

    Parameters
    ----------
    detector : Detector
        Pictures are turned for a `tddfa.face_check.checked_detector.CheckedDetector` alone.
    image : ndarray, shape (H, W, 3), uint8
        BGR picture.
    detect_scale : float, optional
        See `FaceBoxes.tiles.plan_tiles`.
    turned : bool
        Whether pictures are turned at all.

    Returns
    -------
    ndarray, shape (n, 5), float32
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels by falling score, each face once.

    Raises
    ------
    InputError
        If `detect_scale` is out of range.
    """
    boxes = detect_faces(detector, image, detect_scale)
    if not (turned and isinstance(detector, CheckedDetector)):
        return boxes
    if not len(boxes):
        found = [_found_turned(detector, image, quarters) for quarters in (1, 2, 3)]
        best = max(found, key=lambda rows: float(rows[0, 4]) if len(rows) else 0.0)
        return best if len(best) and best[0, 4] > _CLEAR else boxes
    for quarters in _quarters_of(detector, image, boxes):
        more = _found_turned(detector, image, quarters)
        new = more[iou_matrix(more, boxes).max(axis=1) < _SAME]
        boxes = np.concatenate([boxes, new])
    return boxes[np.argsort(-boxes[:, 4], kind="stable")]


def _quarters_of(detector: CheckedDetector, image: ImageArray, boxes: FloatArray) -> list[int]:
    """Return the counterclockwise quarters by which faces would stand upright, but for none."""
    looks = detector.check.at(image, [parse_roi_box_from_bbox(box) for box in boxes])
    rolls = looks.roll[looks.certainty >= LEAST_CERTAINTY]
    return sorted({int(-round(float(roll) / 90)) % 4 for roll in rolls} - {0})


def _found_turned(detector: CheckedDetector, image: ImageArray, quarters: int) -> FloatArray:
    """Search a picture turned counterclockwise; return boxes in pixels of the picture as it is."""
    small, scale = fit_within(image, _LONGEST, _LONGEST)
    boxes = detector.detect(np.ascontiguousarray(np.rot90(small, quarters)))
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
    half = (boxes[:, 2:4] - boxes[:, :2]) / 2
    below = ROI_BELOW_BOX * half.sum(axis=1)
    x, y = boxes[:, 0] + half[:, 0], boxes[:, 1] + half[:, 1] + below
    x, y = [(x, y), (width - y, x), (width - x, height - y), (y, height - x)][quarters % 4]
    center = np.stack([x, y - below], axis=1)
    return np.column_stack([center - half, center + half, boxes[:, 4]]).astype(np.float32)
