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

from functools import partial

import numpy as np

from FaceBoxes.settings import DetectorSettings
from FaceBoxes.tiles import detect_faces, each_once
from tddfa.detector import Detector
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.face_check.looks import LEAST_CERTAINTY
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.quarter_turns import CLEAR, found_turned, quarters_of
from tddfa.roi import parse_roi_box_from_bbox

__all__ = ["find_faces"]

# Of a face found twice the clearer find stays, from this IoU on: a box moves when seen turned.
_SAME = 0.3


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
    search = partial(_search_turned, detector, image, detect_scale)
    if not len(boxes):
        found = [search(quarters) for quarters in (1, 2, 3)]
        best = max(found, key=lambda rows: float(rows[0, 4]) if len(rows) else 0.0)
        return best if len(best) and best[0, 4] > CLEAR else boxes
    more = [search(quarters) for quarters in _quarters_of(detector, image, boxes)]
    return each_once(np.concatenate([boxes, *more]), _SAME) if more else boxes


def _search_turned(
    detector: CheckedDetector, image: ImageArray, detect_scale: float | None, quarters: int
) -> FloatArray:
    """Search the turned picture, as finely as it was searched as it is; in pixels of `image`."""
    if detect_scale:
        tiles = partial(detect_faces, detector, detect_scale=detect_scale)
        return found_turned(tiles, image, quarters)
    settings = detector.settings or DetectorSettings()
    height, width = settings.max_height, settings.max_width
    longest = None if height is None or width is None else max(height, width)
    return found_turned(detector.detect, image, quarters, longest)


def _quarters_of(detector: CheckedDetector, image: ImageArray, boxes: FloatArray) -> list[int]:
    """Return the counterclockwise quarters by which faces would stand upright, but for none."""
    looks = detector.check.at(image, [parse_roi_box_from_bbox(box) for box in boxes])
    rolls = looks.roll[looks.certainty >= LEAST_CERTAINTY]
    return sorted({quarters_of(float(roll)) for roll in rolls} - {0})
