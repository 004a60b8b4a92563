"""What both detectors share: everything but the network's forward pass."""

import logging
from abc import abstractmethod
from dataclasses import replace
from itertools import pairwise
from time import perf_counter
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from FaceBoxes.box_coding import decode
from FaceBoxes.postprocess import postprocess
from FaceBoxes.preprocess import MEAN_BGR, preprocess
from FaceBoxes.prior_box import prior_boxes
from FaceBoxes.settings import DetectorSettings, SettingArguments
from tddfa.detector import DetectorBase

logger = logging.getLogger(__name__)

# Limits of a coarse search in pixels, height and width.
_COARSE = 360, 640


class BaseDetector(DetectorBase):
    """Face detector around a network that a subclass runs; a `tddfa.detector.Detector`.

    Parameters
    ----------
    timer_flag : bool
        Log the times of each call at level INFO.
    **settings
        Thresholds and size limits, see `FaceBoxes.settings.DetectorSettings`.
    """

    def __init__(self, timer_flag: bool = False, **settings: Unpack[SettingArguments]) -> None:
        self.timer_flag = timer_flag
        self.settings = DetectorSettings(**settings)

    @abstractmethod
    def _forward(
        self, blob: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network on (1, 3, h, w); return loc (1, P, 4) and conf (1, P, 2)."""

    def forward(self, blob: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network alone, on pictures of one size that are prepared already.

        Parameters
        ----------
        blob : ndarray, float32 (n, 3, h, w)
            BGR minus `FaceBoxes.preprocess.MEAN_BGR`.

        Returns
        -------
        loc : ndarray, float32 (n, P, 4)
            Encoded boxes of the anchors, see `FaceBoxes.box_coding.decode`.
        conf : ndarray, float32 (n, P, 2)
            Probabilities of background and face.
        """
        return self._forward(blob)

    def __call__(self, img: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Find the faces in a picture.

        Parameters
        ----------
        img : ndarray, uint8 (H, W, 3)
            BGR picture of any size.

        Returns
        -------
        ndarray, float32 (n, 5)
            A row ``xmin, ymin, xmax, ymax, score`` in pixels of `img` per face, by falling score;
            boxes may reach beyond the picture. Without a face the shape is (0, 5): test it with
            ``len(boxes)``.

        Raises
        ------
        InputError
            If `img` is not such a picture.
        """
        start = perf_counter()
        source = preprocess(img, self.settings.max_height, self.settings.max_width)
        prepared = perf_counter()
        loc, conf = self._forward(source.blob)
        detected = perf_counter()
        boxes = postprocess(loc[0], conf[0], source.size, source.scale, self.settings)
        if self.timer_flag:
            marks = (start, prepared, detected, perf_counter())
            spans = [1e3 * (b - a) for a, b in pairwise(marks)]
            logger.info("preprocessing %.2f ms, network %.2f ms, postprocessing %.2f ms", *spans)
        return boxes

    def detect(
        self, image: NDArray[np.uint8], *, least_score: float | None = None, coarse: bool = False
    ) -> NDArray[np.float32]:
        """Find the faces of a picture, see `tddfa.detector.Detector.detect`.

        A coarse search of a large picture takes a third of the time.
        """
        settings = self.settings
        if least_score is not None:
            settings = replace(settings, vis_thres=least_score)
        height, width = settings.max_height, settings.max_width
        if coarse:
            height = min(height or _COARSE[0], _COARSE[0])
            width = min(width or _COARSE[1], _COARSE[1])
        source = preprocess(image, height, width)
        loc, conf = self._forward(source.blob)
        return postprocess(loc[0], conf[0], source.size, source.scale, settings)

    def scan(self, crops: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Look for faces in inputs of the aligner, see `tddfa.detector.DetectorBase.scan`.

        One pass of the network over all crops; the boxes are not freed from duplicates.
        """
        if not len(crops):
            return []
        shift = np.array([127.5 - mean for mean in MEAN_BGR], np.float32)
        loc, conf = self.forward(crops * np.float32(128) + shift[:, None, None])
        priors = prior_boxes(*crops.shape[2:])
        found = []
        for offsets, scores in zip(loc, conf[..., 1], strict=True):
            likely = np.flatnonzero(scores > self.settings.confidence_threshold)
            boxes = decode(offsets[likely], priors[likely])
            found.append(np.column_stack([boxes, scores[likely]]))
        return found
