"""Find the faces of a still picture: at several scales, and turned by quarters for faces that lie.

A picture with upright faces alone, none of them small, is searched once. Where faces are small it
is searched once more, finer; where there is none, coarser, turned, and finer, until there is one
(`tddfa.other_scales`).

A detector knows upright faces best, and one that the face check stands behind meets enough rolled
ones to tell how a picture lies. So such a picture is turned and searched again::

    +---------+              +------+
    |  o   .  |  a quarter   |   .  |     what is found there is brought back; the box stays upright
    |      .  |  ------->    | o    |     around the middle of the face's ROI, as the detector draws
    +---------+              +------+     the boxes of rolled faces

where nothing was found, by all three quarters; where faces were, by the quarters by which they are
rolled.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from FaceBoxes.merging import each_once
from FaceBoxes.settings import DetectorSettings
from FaceBoxes.tiles import detect_faces, plan_tiles
from tddfa.detector import Detector
from tddfa.detectors.faceboxes_two_scales import TwoScales
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.face_check.looks import LEAST_CERTAINTY
from tddfa.face_check.mirror_agreement import MirrorAgreement
from tddfa.other_scales import search_coarser, search_finer
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.quarter_turns import CLEAR, found_turned, quarters_of
from tddfa.roi import parse_roi_box_from_bbox

if TYPE_CHECKING:
    from tddfa.aligner import Aligner

__all__ = ["find_faces"]

# Of a face found twice the clearer find stays, from this IoU on: a box moves when seen turned.
_SAME = 0.3


def find_faces(
    detector: Detector,
    image: ImageArray,
    detect_scale: float | None = None,
    turned: bool = True,
    regressor: "Aligner | None" = None,
) -> FloatArray:
    """Find the faces of a still picture of any size and shape, at any roll.

    Parameters
    ----------
    detector : Detector
        Pictures are searched more than once for a
        `tddfa.face_check.checked_detector.CheckedDetector` alone.
    image : ndarray, shape (H, W, 3), uint8
        BGR picture.
    detect_scale : float, optional
        See `FaceBoxes.tiles.plan_tiles`. Pictures that are searched in tiles have no other scale,
        and below 1 none has.
    turned : bool
        Whether pictures are turned at all.
    regressor : Aligner, optional
        Asked where detector and face check are in doubt, see `tddfa.face_check.mirror_agreement`.

    Returns
    -------
    ndarray, shape (n, 5), float32
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels by falling score, each face once.

    Raises
    ------
    InputError
        If `detect_scale` is out of range.
    """
    if not isinstance(detector, CheckedDetector):
        return detect_faces(detector, image, detect_scale)
    if regressor is not None and detector.agreement is None:
        detector = detector.asking(MirrorAgreement(regressor))
    boxes = detect_faces(detector, image, detect_scale)
    search = _Search(detector, image, detect_scale)
    boxes = search.finer(boxes) if len(boxes) else search.coarser()
    if turned:
        boxes = search.neighbors(boxes) if len(boxes) else search.lying()
    return boxes if len(boxes) else search.finer(boxes)


@dataclass(frozen=True)
class _Search:
    """The further searches of a picture; all boxes are in its pixels."""

    detector: CheckedDetector
    image: ImageArray
    detect_scale: float | None

    def finer(self, boxes: FloatArray) -> FloatArray:
        """Return the boxes, and small faces beside them."""
        if not self._whole:
            return boxes
        network = self.detector.detector
        if isinstance(network, TwoScales):  # the coarse one of a finer search has been seen
            return search_finer(self.detector.behind(network.detector), self.image, boxes)
        return search_finer(self.detector, self.image, boxes)

    def coarser(self) -> FloatArray:
        """Return what is found at half the scale, if that was not searched already."""
        if not self._whole or isinstance(self.detector.detector, TwoScales):
            return np.zeros((0, 5), np.float32)
        return search_coarser(self.detector, self.image)

    def lying(self) -> FloatArray:
        """Return what is found by the quarter turn that shows the clearest face."""
        found = [self._turned(quarters) for quarters in (1, 2, 3)]
        best = max(found, key=lambda rows: float(rows[0, 4]) if len(rows) else 0.0)
        return best if len(best) and best[0, 4] > CLEAR else best[:0]

    def neighbors(self, boxes: FloatArray) -> FloatArray:
        """Return the boxes, and what is found by the quarters by which they are rolled."""
        looks = self.detector.check.at(self.image, [parse_roi_box_from_bbox(box) for box in boxes])
        rolls = looks.roll[looks.certainty >= LEAST_CERTAINTY]
        turns = sorted({quarters_of(float(roll)) for roll in rolls} - {0})
        more = [self._turned(quarters) for quarters in turns]
        return each_once(np.concatenate([boxes, *more]), _SAME) if more else boxes

    @property
    def _settings(self) -> DetectorSettings:
        return self.detector.settings or DetectorSettings()

    @property
    def _whole(self) -> bool:
        """Whether the picture was searched as a whole, and may be at another scale."""
        height, width = self.image.shape[:2]
        limited = self.detect_scale is not None and self.detect_scale < 1
        plan = plan_tiles(height, width, self._settings, self.detect_scale)
        return plan is None and not limited

    def _turned(self, quarters: int) -> FloatArray:
        """Search the picture turned, as finely as it was searched as it is."""
        if self.detect_scale:
            tiles = partial(detect_faces, self.detector, detect_scale=self.detect_scale)
            return found_turned(tiles, self.image, quarters)
        height, width = self._settings.max_height, self._settings.max_width
        longest = None if height is None or width is None else max(height, width)
        return found_turned(self.detector.detect, self.image, quarters, longest)
