"""Picture in, faces out: the detector and the aligner that a configuration names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from FaceBoxes.settings import SettingArguments
from FaceBoxes.tiles import detect_faces
from tddfa.aligner import Aligner
from tddfa.config import Config
from tddfa.onnx_backend import TDDFA_ONNX
from tddfa.params import FloatArray
from tddfa.pose import HeadPose, head_pose
from tddfa.roi import ImageArray
from tddfa.torch_backend import TDDFA


class Detector(Protocol):
    """What finds faces: a picture in, ``[xmin, ymin, xmax, ymax, score]`` rows out."""

    def __call__(self, img: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the boxes of all faces, best first, (n, 5) in pixels."""


@dataclass(frozen=True)
class Face:
    """One aligned face.

    Attributes
    ----------
    box : ndarray, shape (4,), float32
        Detector's ``[xmin, ymin, xmax, ymax]`` in pixels.
    score : float
        Detector's score in [0, 1].
    roi_box : list of float
        ``[xmin, ymin, xmax, ymax]`` of the square that the network saw, in pixels.
    param : ndarray, shape (62,), float32
        De-normalized parameters.
    landmarks : ndarray, shape (3, 68), float32
        iBUG landmarks in pixels, y down; larger z is nearer.
    pose : HeadPose
        Yaw, pitch, roll in degrees, and scale.
    """

    box: FloatArray
    score: float
    roi_box: list[float]
    param: FloatArray
    landmarks: FloatArray
    pose: HeadPose


class Pipeline:
    """Detector and aligner that belong together.

    Parameters
    ----------
    detector : callable
        Picture to boxes, such as ``FaceBoxes()``.
    aligner : Aligner
        ``TDDFA`` or ``TDDFA_ONNX``.
    detect_scale : float, optional
        How finely pictures are searched for faces, see `FaceBoxes.tiles.plan_tiles`.
    """

    def __init__(
        self, detector: Detector, aligner: Aligner, detect_scale: float | None = None
    ) -> None:
        self.detector = detector
        self.aligner = aligner
        self.detect_scale = detect_scale

    @classmethod
    def from_config(
        cls,
        config: Config,
        *,
        onnx: bool = False,
        mode: str = "cpu",
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        detection: SettingArguments | None = None,
        detect_scale: float | None = None,
    ) -> "Pipeline":
        """Build what a configuration names.

        Parameters
        ----------
        config : Config
            See `tddfa.config.load_config`.
        onnx : bool
            ONNX Runtime instead of PyTorch; then PyTorch is not imported.
        mode : {'cpu', 'gpu'}
            Where the networks run.
        threads : int, optional
            Threads of ONNX Runtime and of reconstruction; by default as many as are useful.
        providers : sequence of str, optional
            ONNX Runtime's execution providers, see `tddfa.onnx_session.open_session`; by default
            the CPU's, or CUDA's with mode 'gpu'.
        detection : dict, optional
            Thresholds and size limits, see `FaceBoxes.settings.DetectorSettings`.
        detect_scale : float, optional
            See `FaceBoxes.tiles.plan_tiles`.

        Raises
        ------
        InputError
            If a file is missing or malformed, or the device is.
        """
        keys = vars(config)
        settings = detection or {}
        checkpoint = config.find_if_set("detector_fp")
        if onnx:
            from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX

            chosen = providers or (["cuda"] if mode == "gpu" else ["cpu"])
            found = config.find_if_set("detector_onnx_fp") or _onnx_of(checkpoint)
            detector: Detector = FaceBoxes_ONNX(
                onnx_fp=found,
                num_threads=threads,
                providers=chosen,
                assets=config.assets,
                **settings,
            )
            aligner: Aligner = TDDFA_ONNX(
                num_threads=threads, providers=chosen, n_threads=threads or 1, **keys
            )
        else:
            from FaceBoxes import FaceBoxes

            aligner = TDDFA(gpu_mode=mode == "gpu", n_threads=threads or 1, **keys)
            device = "cuda" if mode == "gpu" else "cpu"
            detector = FaceBoxes(
                checkpoint_fp=checkpoint, device=device, assets=config.assets, **settings
            )
        return cls(detector, aligner, detect_scale)

    def __call__(self, img: ImageArray) -> list[Face]:
        """Find and align all faces of a BGR picture, best score first."""
        boxes = detect_faces(self.detector, img, self.detect_scale)
        if not len(boxes):
            return []
        params, roi_boxes = self.aligner(img, boxes)
        landmarks = self.aligner.recon_vers(params, roi_boxes)
        return [
            Face(box[:4], float(box[4]), roi_box, param, points, head_pose(param))
            for box, roi_box, param, points in zip(boxes, roi_boxes, params, landmarks, strict=True)
        ]

    def dense_vertices(self, faces: Sequence[Face]) -> list[FloatArray]:
        """Reconstruct all vertices of each face, (3, N) in picture pixels."""
        params = [face.param for face in faces]
        return self.aligner.recon_vers(params, [face.roi_box for face in faces], dense_flag=True)


def _onnx_of(checkpoint: Path | None) -> Path | None:
    from tddfa.onnx_cache import find_onnx

    return None if checkpoint is None else find_onnx(checkpoint)
