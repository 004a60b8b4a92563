"""FaceBoxes, and once more at half the scale: for weights that know large faces less well.

The free weights learned from crops of 168 px, and real faces of 260 px and more look finer than
anything they have seen: they find four in five of them. At half the scale, for a third of the
time, these are of the size that they know. The configuration for it::

    detector: faceboxes_two_scales
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from FaceBoxes.nms import nms
from FaceBoxes.settings import DetectorSettings
from tddfa.detector import Detector, DetectorBase
from tddfa.other_scales import found_at_half
from tddfa.params import FloatArray
from tddfa.picture import ImageArray

if TYPE_CHECKING:
    from tddfa.config import Config
    from tddfa.runtime import Runtime


class TwoScales(DetectorBase):
    """A detector that searches pictures at its own scale and at half of it.

    Parameters
    ----------
    detector : DetectorBase
        Its `settings`, if it has any, say to what size it shrinks pictures.

    Attributes
    ----------
    settings : Any
        The detector's.
    """

    def __init__(self, detector: DetectorBase) -> None:
        self.detector = detector

    @property
    def settings(self) -> Any:
        """Thresholds and limits of the detector, None if it has none."""
        return getattr(self.detector, "settings", None)

    def detect(
        self, image: ImageArray, *, least_score: float | None = None, coarse: bool = False
    ) -> FloatArray:
        """Find the faces of a picture, see `tddfa.detector.Detector.detect`.

        A coarse search is at one scale.
        """
        boxes = self.detector.detect(image, least_score=least_score, coarse=coarse)
        if coarse:
            return boxes
        larger = found_at_half(self.detector, image, least_score)
        if not len(larger):
            return boxes
        settings = self.settings or DetectorSettings()
        both = np.concatenate([boxes, larger])
        both = both[np.argsort(-both[:, 4], kind="stable")]
        return both[nms(both, settings.nms_threshold)]

    def __call__(self, image: ImageArray) -> FloatArray:
        """Find the faces of a picture, as `detect` without options."""
        return self.detect(image)

    def scan(self, crops: FloatArray) -> list[FloatArray]:
        """Look for faces in inputs of the aligner, whose faces are small, at one scale."""
        return self.detector.scan(crops)

    def score_crops(self, crops: FloatArray, places: FloatArray) -> FloatArray:
        """Score faces in inputs of the aligner, as the detector does."""
        return self.detector.score_crops(crops, places)


def build(config: "Config", runtime: "Runtime", **settings: Any) -> Detector:
    """Build FaceBoxes as `tddfa.detectors.faceboxes` does, for two scales.

    Raises
    ------
    InputError
        As there.
    """
    from tddfa.detectors import faceboxes

    return TwoScales(faceboxes.build(config, runtime, **settings))
