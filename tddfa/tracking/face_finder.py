"""What a tracker asks of a detector: the faces of a frame, and whether a small crop shows one.

The crop is the very input of the aligner, 120x120, so the check costs one pass of the detector's
network over it and nothing else. Where the check fails, a second look at twice the surroundings
decides: out-of-focus faces are hardly told from background without them.
"""

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from FaceBoxes.preprocess import fit_scale
from FaceBoxes.settings import DetectorSettings
from tddfa.detector import Detector, DetectorBase, scores_at
from tddfa.face_box import face_boxes_of
from tddfa.face_check.check import FaceCheck
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.face_check.looks import LEAST_CERTAINTY
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.roi import network_input, parse_roi_box_from_bbox
from tddfa.tracking.changed_part import Part

# Side of the second look's crop in ROIs and in network pixels.
_WIDE, _WIDE_SIZE = 2.0, 160
# Roll in degrees, without sign, from which on a face is upside down.
_UPSIDE_DOWN = 120.0


class FaceFinder:
    """Detector of a tracker.

    Parameters
    ----------
    detector : Detector
        Such as FaceBoxes, see `tddfa.detectors`.
    low : float
        Detections are reported from this score on. A weak one is enough to confirm a face that is
        tracked already (Zhang et al., "ByteTrack", ECCV 2022), though not to begin a track.
    check : FaceCheck, optional
        What sees how far faces are rolled; by default the one behind the detector, if any.
    """

    def __init__(
        self, detector: Detector, low: float = 0.2, check: FaceCheck | None = None
    ) -> None:
        self.detector = detector
        self.low = low
        if check is None and isinstance(detector, CheckedDetector):
            check = detector.check
        self.check = check

    def detect(self, image: ImageArray, *, coarse: bool = False) -> FloatArray:
        """Find faces in a BGR picture; rows ``xmin, ymin, xmax, ymax, score`` by falling score.

        A `coarse` search of a large picture may miss small faces.
        """
        return self.detector.detect(image, least_score=self.low, coarse=coarse)

    def detect_in(self, image: ImageArray, part: Part, *, coarse: bool = False) -> FloatArray:
        """Find faces in a part of a picture, as finely as in all of it; rows as `detect` has them.

        What an inner border of the part may cut off is left out.
        """
        left, top, right, bottom = part
        height, width = image.shape[:2]
        if (right - left, bottom - top) == (width, height):
            return self.detect(image, coarse=coarse)
        settings = getattr(self.detector, "settings", None) or DetectorSettings()
        scale = fit_scale(height, width, settings.max_height, settings.max_width)
        piece = image[top:bottom, left:right]
        if scale < 1:
            size = max(1, int((right - left) * scale)), max(1, int((bottom - top) * scale))
            piece = np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        boxes = self.detect(np.ascontiguousarray(piece), coarse=coarse)
        factors = (right - left) / piece.shape[1], (bottom - top) / piece.shape[0]
        corner = np.array([left, top, left, top], np.float32)
        boxes = boxes.copy()
        boxes[:, :4] = boxes[:, :4] * np.tile(np.array(factors, np.float32), 2) + corner
        inside = (
            ((boxes[:, 0] > left) | (left == 0))
            & ((boxes[:, 1] > top) | (top == 0))
            & ((boxes[:, 2] < right) | (right == width))
            & ((boxes[:, 3] < bottom) | (bottom == height))
        )
        return np.asarray(boxes[inside], np.float32)

    def turns(self, image: ImageArray, roi_boxes: Sequence[Sequence[float]]) -> list[float] | None:
        """Return by how many degrees faces' ROIs are to be turned; None if nobody can tell."""
        return None if self.check is None else self.check.turns(image, roi_boxes)

    def roi_boxes(self, image: ImageArray, boxes: FloatArray) -> list[list[float]]:
        """Return the ROIs of detections (n, 5), as the face check sees the faces in them.

        A detector of upright faces takes one upside down for upright: what it takes for a forehead
        is a chin, and the ROI lies as much below the box's center as it should lie above it.
        """
        upright = [parse_roi_box_from_bbox(box) for box in boxes]
        if self.check is None or not len(boxes):
            return upright
        middles = (boxes[:, 1] + boxes[:, 3]).tolist()
        upside_down = [
            [left, middle - bottom, right, middle - top]
            for (left, top, right, bottom), middle in zip(upright, middles, strict=True)
        ]
        now, then = self.check.at(image, upright), self.check.at(image, upside_down)
        sure = (np.abs(then.roll) > _UPSIDE_DOWN) & (then.certainty >= LEAST_CERTAINTY)
        better = sure & (then.score > now.score)
        return [b if flip else a for a, b, flip in zip(upright, upside_down, better, strict=True)]

    def look(self, crops: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Begin to score faces in inputs of the aligner, before it has said where they are.

        What comes back takes their places and returns the scores, see `Detector.score_crops`.
        """
        if isinstance(self.detector, DetectorBase):
            return partial(scores_at, self.detector.scan(crops))
        return partial(self.detector.score_crops, crops)

    def look_wider(
        self, image: ImageArray, roi_boxes: Sequence[Sequence[float]] | FloatArray
    ) -> FloatArray:
        """Score faces whose landmarks' ROIs (n, 4) are given, with more of their surroundings."""
        roi = np.asarray(roi_boxes, np.float64).reshape(-1, 4)
        center, half = (roi[:, :2] + roi[:, 2:]) / 2, (roi[:, 2:] - roi[:, :2]) * _WIDE / 2
        wide = np.concatenate([center - half, center + half], axis=1)
        crops = network_input(image, wide.tolist(), _WIDE_SIZE)
        return self.detector.score_crops(crops, fractions(face_boxes_of(roi), wide))


def fractions(boxes: npt.ArrayLike, frames: npt.ArrayLike) -> FloatArray:
    """Express boxes (n, 4) as fractions of other boxes (n, 4)."""
    frame = np.asarray(frames, np.float64).reshape(-1, 4)
    origin, side = np.tile(frame[:, :2], 2), np.tile(frame[:, 2:] - frame[:, :2], 2)
    return ((np.asarray(boxes, np.float64) - origin) / side).astype(np.float32)
