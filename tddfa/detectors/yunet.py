"""YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023) through OpenCV.

Its weights are not part of the project: ``detector_onnx_fp`` names the file, such as OpenCV Zoo's
``face_detection_yunet_2023mar.onnx``. The configuration for it::

    detector: yunet
    detector_onnx_fp: face_detection_yunet_2023mar.onnx
"""

import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tddfa.detector import DetectorBase, fit_within
from tddfa.errors import InputError
from tddfa.params import FloatArray
from tddfa.picture import ImageArray

if TYPE_CHECKING:
    from tddfa.config import Config
    from tddfa.runtime import Runtime

# Limits of a coarse search in pixels, height and width.
_COARSE = 360, 640
_SCORE = 14  # column of the score: before it are x, y, width, height and five points


class YuNet(DetectorBase):
    """Face detector around ``cv2.FaceDetectorYN``; it runs on the CPU whatever the backend.

    Parameters
    ----------
    onnx_fp : str
        Its weights.
    vis_thres : float
        Faces are reported from this score on.
    nms_threshold : float
        Intersection over union from which on the weaker of two detections is removed.
    max_height, max_width : int
        Larger pictures are scaled down to these pixels.

    Raises
    ------
    InputError
        If OpenCV has no such detector or cannot read the file.
    """

    def __init__(
        self,
        onnx_fp: str,
        *,
        vis_thres: float = 0.6,
        nms_threshold: float = 0.3,
        max_height: int = 720,
        max_width: int = 1080,
    ) -> None:
        if not hasattr(cv2, "FaceDetectorYN"):
            raise InputError("detector yunet: this OpenCV lacks it: pip install opencv-python")
        self.vis_thres, self.limits = vis_thres, (max_height, max_width)
        try:
            self._network = cv2.FaceDetectorYN.create(
                onnx_fp, "", (320, 320), vis_thres, nms_threshold, 5000
            )
        except cv2.error as error:
            raise InputError(f"'{onnx_fp}': expected a YuNet that OpenCV can read") from error
        # The network keeps the picture's size and the threshold between two calls.
        self._lock = threading.Lock()

    def detect(
        self, image: ImageArray, *, least_score: float | None = None, coarse: bool = False
    ) -> FloatArray:
        """Find the faces of a picture, see `tddfa.detector.Detector.detect`."""
        picture, scale = fit_within(image, *(_COARSE if coarse else self.limits))
        with self._lock:
            self._network.setInputSize((picture.shape[1], picture.shape[0]))
            self._network.setScoreThreshold(self.vis_thres if least_score is None else least_score)
            _, faces = self._network.detect(np.ascontiguousarray(picture))
        if faces is None or not len(faces):
            return np.zeros((0, 5), np.float32)
        rows = np.asarray(faces, np.float32)
        corner, size, score = rows[:, :2], rows[:, 2:4], rows[:, _SCORE]
        boxes = np.column_stack([corner / scale, (corner + size) / scale, np.clip(score, 0, 1)])
        return np.asarray(boxes[np.argsort(-boxes[:, 4], kind="stable")], np.float32)


def build(
    config: "Config",
    runtime: "Runtime",
    *,
    vis_thres: float = 0.6,
    nms_threshold: float = 0.3,
    max_height: int = 720,
    max_width: int = 1080,
) -> YuNet:
    """Build YuNet with the file that ``detector_onnx_fp`` names; settings as of `YuNet`."""
    if config.detector_onnx_fp is None:
        raise InputError(
            "detector yunet: set detector_onnx_fp to its file, such as "
            "face_detection_yunet_2023mar.onnx of OpenCV Zoo"
        )
    return YuNet(
        str(config.find("detector_onnx_fp")),
        vis_thres=vis_thres,
        nms_threshold=nms_threshold,
        max_height=max_height,
        max_width=max_width,
    )
