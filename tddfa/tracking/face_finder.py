"""What a tracker asks of a detector: the faces of a frame, and whether a small crop shows one.

FaceBoxes serves both. The crop is the very input of the aligner, 120x120, so the check costs one
pass of the detector's network over it and nothing else. Where the check fails, a second look at
twice the surroundings decides: out-of-focus faces are hardly told from background without them.

::

    +--- ROI of the landmarks ---+     The detector's box in units of the ROI, medians over faces
    |     .-- detector's -.      |     found in photographs: center (0.50, 0.385), size 0.67 x 0.88;
    |     |     box       |      |     it begins a little above the ROI.
    |     |               |      |
    |     '---------------'      |
    +----------------------------+
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from FaceBoxes.base_detector import BaseDetector
from FaceBoxes.box_coding import decode
from FaceBoxes.postprocess import postprocess
from FaceBoxes.preprocess import MEAN_BGR, preprocess
from FaceBoxes.prior_box import prior_boxes
from tddfa.params import FloatArray
from tddfa.roi import ImageArray, network_input
from tddfa.tracking.association import iou_matrix

# Center x, center y, width, height.
FACE_IN_ROI = (0.495, 0.385, 0.665, 0.878)
# An anchor's box that overlaps the expected one less says nothing about this face.
_LEAST_OVERLAP = 0.4
# Side of the second look's crop in ROIs and in network pixels.
_WIDE, _WIDE_SIZE = 2.0, 160
# Limits of a coarse search in pixels, height and width.
_COARSE = 360, 640


def face_boxes_of(roi_boxes: npt.ArrayLike) -> FloatArray:
    """Return the boxes (n, 4) that the detector would give for landmark ROIs (n, 4), in pixels."""
    roi = np.asarray(roi_boxes, np.float64).reshape(-1, 4)
    side = roi[:, 2:] - roi[:, :2]
    center = roi[:, :2] + side * FACE_IN_ROI[:2]
    half = side * FACE_IN_ROI[2:] / 2
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)


class FaceFinder:
    """Detector of a tracker.

    Parameters
    ----------
    detector : BaseDetector
        ``FaceBoxes()`` or ``FaceBoxes_ONNX()``.
    low : float
        Detections are reported from this score on. A weak one is enough to confirm a face that is
        tracked already (Zhang et al., "ByteTrack", ECCV 2022), though not to begin a track.
    """

    def __init__(self, detector: BaseDetector, low: float = 0.2) -> None:
        self.detector = detector
        self.settings = replace(detector.settings, vis_thres=low)

    def detect(self, image: ImageArray, *, coarse: bool = False) -> FloatArray:
        """Find faces in a BGR picture; rows ``xmin, ymin, xmax, ymax, score`` by falling score.

        A `coarse` search of a large picture takes a third of the time and may miss small faces.
        """
        limits = self.settings.max_height, self.settings.max_width
        if coarse:
            limits = (
                min(limits[0] or _COARSE[0], _COARSE[0]),
                min(limits[1] or _COARSE[1], _COARSE[1]),
            )
        source = preprocess(image, *limits)
        loc, conf = self.detector.forward(source.blob)
        return postprocess(loc[0], conf[0], source.size, source.scale, self.settings)

    def scan(self, crops: FloatArray) -> list[FloatArray]:
        """Look for faces in inputs of the aligner.

        Parameters
        ----------
        crops : ndarray, shape (n, 3, s, s), float32
            See `tddfa.roi.network_input`.

        Returns
        -------
        list of n ndarrays, shape (k, 5), float32
            Boxes as fractions of the crop, and their scores; not freed from duplicates.
        """
        if not len(crops):
            return []
        shift = np.array([127.5 - mean for mean in MEAN_BGR], np.float32)
        loc, conf = self.detector.forward(crops * np.float32(128) + shift[:, None, None])
        priors = prior_boxes(*crops.shape[2:])
        found = []
        for offsets, scores in zip(loc, conf[..., 1], strict=True):
            likely = np.flatnonzero(scores > self.settings.confidence_threshold)
            boxes = decode(offsets[likely], priors[likely])
            found.append(np.column_stack([boxes, scores[likely]]))
        return found

    def look_wider(
        self, image: ImageArray, roi_boxes: Sequence[Sequence[float]] | FloatArray
    ) -> list[float]:
        """Score faces whose landmarks' ROIs (n, 4) are given, with more of their surroundings."""
        roi = np.asarray(roi_boxes, np.float64).reshape(-1, 4)
        center, half = (roi[:, :2] + roi[:, 2:]) / 2, (roi[:, 2:] - roi[:, :2]) * _WIDE / 2
        wide = np.concatenate([center - half, center + half], axis=1)
        found = self.scan(network_input(image, wide.tolist(), _WIDE_SIZE))
        expected = fractions(face_boxes_of(roi), wide)
        return [score_at(boxes, place) for boxes, place in zip(found, expected, strict=True)]


def score_at(found: FloatArray, expected: npt.ArrayLike) -> float:
    """Return the best score in [0, 1] among boxes (k, 5) that lie where a face is expected."""
    if not len(found):
        return 0.0
    near = iou_matrix(found, np.asarray(expected)[None])[:, 0] >= _LEAST_OVERLAP
    return float(found[near, 4].max(initial=0.0))


def fractions(boxes: npt.ArrayLike, frames: npt.ArrayLike) -> FloatArray:
    """Express boxes (n, 4) as fractions of other boxes (n, 4)."""
    frame = np.asarray(frames, np.float64).reshape(-1, 4)
    origin, side = np.tile(frame[:, :2], 2), np.tile(frame[:, 2:] - frame[:, :2], 2)
    return ((np.asarray(boxes, np.float64) - origin) / side).astype(np.float32)
