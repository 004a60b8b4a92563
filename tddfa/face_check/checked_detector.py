"""A detector whose finds are looked at once more: a cascade.

::

    picture --detector, low threshold--> candidates --crops--> face check --> scores
                                              |                              |
                                              +------ one score of both -----+---> in doubt?
                                                                                   the regressor

The detector alone cannot afford to report every rolled face and profile: too much else looks like
one to it. The check sees each candidate by itself, at any roll. Where both together leave a doubt,
the regressor may be asked as well, if there is one (`tddfa.face_check.mirror_agreement`).
"""

from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from FaceBoxes.merging import each_once
from FaceBoxes.settings import DetectorSettings
from tddfa.detector import Detector, DetectorBase
from tddfa.detector_box import ROI_BELOW_BOX
from tddfa.errors import InputError
from tddfa.face_check.check import SIZE, FaceCheck
from tddfa.face_check.looks import Looks, logit_of, probability
from tddfa.face_check.mirror_agreement import MirrorAgreement, agreement_logit
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.roi import parse_roi_box_from_bbox

# Nothing can be aligned in a square of fewer pixels.
_LEAST_SIDE = 4.0
# Logits between which a joint score is a doubt: scores of 0.06 to 0.95. Of upright faces one in
# twenty lies within, and hardly anything else above. So many of the likeliest are asked for: two
# runs of the regressor each.
_DOUBT, _MOST_DOUBTS = (-2.75, 3.0), 32


@dataclass(frozen=True)
class CheckSettings:
    """How a detector's scores and the check's go together; by `training.face_check.calibrate`.

    Attributes
    ----------
    candidate_score : float
        The detector's finds are looked at from this score on.
    detector_weight : float
        Weight of the logit of the detector's score; that of the check's is 1.
    most : int
        At most so many of the best are looked at.
    doubted_score : float
        `candidate_score` where the regressor is asked as well; by `training.face_check.doubts`.
    """

    candidate_score: float = 0.25
    detector_weight: float = 1.0
    most: int = 300
    doubted_score: float = 0.1

    def __post_init__(self) -> None:
        for name in ("candidate_score", "doubted_score"):
            if not 0 <= (score := getattr(self, name)) <= 1:
                raise InputError(f"{name}: expected a number in [0, 1], got {score}")


class CheckedDetector(DetectorBase):
    """A detector and the face check behind it; a `tddfa.detector.Detector`.

    Parameters
    ----------
    detector : Detector
        Finds candidates.
    check : FaceCheck
        Says which are faces, and how they are rolled.
    settings : CheckSettings, optional
    vis_thres : float, optional
        Faces are reported with a score above this; by default the detector's threshold, which is of
        the score of both together.
    agreement : MirrorAgreement, optional
        Asked where both leave a doubt; see `asking`.

    Attributes
    ----------
    settings : Any
        The detector's.
    """

    def __init__(
        self,
        detector: Detector,
        check: FaceCheck,
        settings: CheckSettings | None = None,
        vis_thres: float | None = None,
        agreement: MirrorAgreement | None = None,
    ) -> None:
        self.detector, self.check, self.agreement = detector, check, agreement
        self.check_settings = settings or CheckSettings()
        self._vis_thres = vis_thres

    @property
    def settings(self) -> Any:
        """Thresholds and limits of the detector, None if it has none."""
        return getattr(self.detector, "settings", None)

    @property
    def vis_thres(self) -> float:
        """Score above which faces are reported."""
        if self._vis_thres is not None:
            return self._vis_thres
        return float(getattr(self.settings, "vis_thres", 0.5))

    def detect(
        self, image: ImageArray, *, least_score: float | None = None, coarse: bool = False
    ) -> FloatArray:
        """Find the faces of a picture, see `tddfa.detector.Detector.detect`."""
        least = self.vis_thres if least_score is None else least_score
        known = self.check_settings
        lowest = known.candidate_score if self.agreement is None else known.doubted_score
        boxes = self.detector.detect(image, least_score=min(least, lowest), coarse=coarse)
        boxes = boxes[: known.most]
        squares = [parse_roi_box_from_bbox(box) for box in boxes]
        large = [right - left >= _LEAST_SIDE for left, _, right, _ in squares]
        boxes = boxes[np.array(large, bool)]
        rois = [roi for roi, fits in zip(squares, large, strict=True) if fits]
        logits = self._joint(boxes[:, 4], self.check.at(image, rois))
        scores = probability(self._settled(image, rois, logits))
        checked = np.column_stack([boxes[:, :4], scores]).astype(np.float32)
        checked = checked[scores > least]
        if self.agreement is not None:  # it also agrees on a face in a box too large or too small
            threshold = getattr(self.settings, "nms_threshold", DetectorSettings.nms_threshold)
            return each_once(checked, threshold)
        return checked[np.argsort(-checked[:, 4], kind="stable")]

    def __call__(self, image: ImageArray) -> FloatArray:
        """Find the faces of a picture, as `detect` without options."""
        return self.detect(image)

    def behind(self, detector: Detector) -> Self:
        """Return the same check behind another detector."""
        other = copy(self)
        other.detector = detector
        return other

    def asking(self, agreement: MirrorAgreement) -> Self:
        """Return the same detector, which asks the regressor where it is in doubt."""
        other = copy(self)
        other.agreement = agreement
        return other

    def combined(self, scores: FloatArray, looks: Looks) -> FloatArray:
        """Return the scores (n,) of a detector's finds that the check has looked at."""
        return probability(self._joint(scores, looks))

    def _joint(self, scores: FloatArray, looks: Looks) -> FloatArray:
        """Return the logits (n,) of what `combined` returns."""
        weighted = self.check_settings.detector_weight * logit_of(scores)
        return np.asarray(looks.logit + weighted, np.float32)

    def _settled(
        self, image: ImageArray, rois: list[list[float]], logits: FloatArray
    ) -> FloatArray:
        """Add the regressor's word to logits (n,) that are doubts, if it is to be asked."""
        doubts = np.flatnonzero((logits > _DOUBT[0]) & (logits < _DOUBT[1]))
        if self.agreement is None or not len(doubts):
            return logits
        doubts = doubts[np.argsort(-logits[doubts], kind="stable")][:_MOST_DOUBTS]
        asked = [rois[i] for i in doubts]
        logits = logits.copy()
        distances = self.agreement.at(image, asked, self.check.turns(image, asked))
        logits[doubts] += agreement_logit(distances)
        return logits

    def scan(self, crops: FloatArray) -> list[FloatArray]:
        """Look at inputs of the aligner by the check alone: one box each."""
        looks = self.check(crops)
        return list(np.column_stack([looks.boxes, looks.score])[:, None])

    def score_crops(self, crops: FloatArray, places: FloatArray) -> FloatArray:
        """Cut the places out of the crops and look at them, see `Detector.score_crops`."""
        cut = [_cut(crop, place) for crop, place in zip(crops, places, strict=True)]
        if not cut:
            return np.zeros(0, np.float32)
        return self.check(np.stack(cut)).score


def _cut(crop: FloatArray, place: npt.NDArray[np.floating]) -> FloatArray:
    """Return the ROI of a box, in parts of a crop's side, as a crop of its own."""
    side = crop.shape[1]
    left, top, right, bottom = (float(edge) * side for edge in place)
    mean = max((right - left + bottom - top) / 2, 1.0)
    x, y = (left + right) / 2, (top + bottom) / 2 + ROI_BELOW_BOX * mean
    zoom = SIZE / (1.58 * mean)
    # OpenCV counts between pixel centers.
    matrix = np.array([[zoom, 0, SIZE / 2 - zoom * x], [0, zoom, SIZE / 2 - zoom * y]])
    matrix[:, 2] += zoom / 2 - 0.5
    out = cv2.warpAffine(
        np.ascontiguousarray(crop.transpose(1, 2, 0)), matrix, (SIZE, SIZE), borderValue=(-1,) * 3
    )
    return np.asarray(out.transpose(2, 0, 1), np.float32)
