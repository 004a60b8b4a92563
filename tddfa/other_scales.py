"""Search a still picture at a second scale: finer for a crowd, coarser where no face was found.

A detector knows faces from some 30 to 300 pixels best. Where it found smaller ones there are others
that it missed, a crowd may have nothing but such, and a face that fills the picture may look finer
than any it has learned from::

    small faces:  +------+------+        no face:  +-----------+
                  | o o  |  o   |  x 1.8           |    ___    |
                  +------+------+                  |   ( o )   |  x 0.5
                  |   o  | o  o |                  +-----------+
                  +------+------+
"""

import numpy as np

from FaceBoxes.merging import each_once, not_among
from FaceBoxes.preprocess import fit_scale
from FaceBoxes.settings import DetectorSettings
from FaceBoxes.tiles import plan_finer, search_tiles
from tddfa.detector import Detector
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.quarter_turns import CLEAR

__all__ = ["found_at_half", "search_coarser", "search_finer"]

# Side of a face, in pixels as the detector sees them, below which others are missed beside it; and
# the score above which it is surely one.
_SMALL, _SURE = 40.0, 0.8
# How much finer such a picture is searched: of a picture that is shrunk to the detector's default
# limits four tiles, of one of up to 600 x 400 pixels a single one.
_FINER = 1.8
# A face in a tile is at most so many times as large as a small one, and lies whole in one of two.
_LARGEST, _MARGIN = 1.5, 12.0
# Where nothing was found a finer search is believed from so many clear faces on: it looks at three
# to four times as many pixels, and has as many more chances to take a wheel for one.
_CROWD = 2
# A picture that is shorter, halved, has nothing left in it.
_SHORTEST = 32


def search_finer(detector: Detector, image: ImageArray, boxes: FloatArray) -> FloatArray:
    """Add the small faces that a finer search finds, if none or sure small ones were found.

    Parameters
    ----------
    detector : Detector
    image : ndarray, shape (H, W, 3), uint8
        BGR picture.
    boxes : ndarray, shape (n, 5), float32
        What the detector found in it, rows ``xmin, ymin, xmax, ymax, score``. All of it is kept.
        Where that is nothing, others are believed if two of them are clear: a crowd.

    Returns
    -------
    ndarray, shape (m, 5), float32
        Rows by falling score; `boxes` where faces were found and no sure one is small.
    """
    settings, scale = _limits(detector, image)
    sure = boxes[boxes[:, 4] > _SURE]
    if len(boxes) and not (_sides(sure) * scale < _SMALL).any():
        return boxes
    largest = _SMALL * _LARGEST
    overlap = largest * _FINER + _MARGIN
    height, width = image.shape[:2]
    tiling = plan_finer(height, width, settings, _FINER, overlap)
    found = search_tiles(detector, image, tiling)
    found = found[_sides(found) * scale < largest]
    new = each_once(not_among(found, boxes, settings.nms_threshold), settings.nms_threshold)
    if not len(boxes) and np.count_nonzero(new[:, 4] > CLEAR) < _CROWD:
        return boxes
    both = np.concatenate([boxes, new])
    return both[np.argsort(-both[:, 4], kind="stable")]


def search_coarser(detector: Detector, image: ImageArray) -> FloatArray:
    """Return the clear faces that are found at half the scale, (n, 5) in pixels of the picture."""
    boxes = found_at_half(detector, image)
    return boxes[boxes[:, 4] > CLEAR]


def found_at_half(
    detector: Detector, image: ImageArray, least_score: float | None = None
) -> FloatArray:
    """Search a picture at half the scale at which the detector searches it.

    Parameters
    ----------
    detector : Detector
    image : ndarray, shape (H, W, 3), uint8
        BGR picture.
    least_score : float, optional
        See `tddfa.detector.Detector.detect`.

    Returns
    -------
    ndarray, shape (n, 5), float32
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels of `image`; none where the picture is too
        small to be halved.
    """
    import cv2

    _, scale = _limits(detector, image)
    height, width = image.shape[:2]
    if min(height, width) * scale / 2 < _SHORTEST:
        return np.zeros((0, 5), np.float32)
    size = round(width * scale / 2), round(height * scale / 2)
    half = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    factors = np.array([width / size[0], height / size[1]] * 2 + [1], np.float32)
    return np.asarray(detector.detect(half, least_score=least_score) * factors, np.float32)


def _limits(detector: Detector, image: ImageArray) -> tuple[DetectorSettings, float]:
    """Return the detector's settings and the scale at which it searches the whole picture."""
    settings = getattr(detector, "settings", None) or DetectorSettings()
    height, width = image.shape[:2]
    return settings, fit_scale(height, width, settings.max_height, settings.max_width)


def _sides(boxes: FloatArray) -> FloatArray:
    """Return the mean of width and height of boxes (n, ≥4), (n,)."""
    return np.asarray((boxes[:, 2:4] - boxes[:, :2]).mean(axis=1), np.float32)
