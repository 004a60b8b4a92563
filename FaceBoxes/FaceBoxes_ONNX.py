"""The reference's name of the detector in ONNX Runtime; new code has `FaceBoxes.onnx_detector`.

Never imports PyTorch.
"""

from pathlib import Path
from typing import Any

import numpy.typing as npt

from FaceBoxes import onnx_detector as _detector
from FaceBoxes import reference_contract as _contract
from FaceBoxes.detector import DEFAULT_CHECKPOINT
from FaceBoxes.settings import DetectorSettings
from tddfa.compat.arguments import providers_for

_DEFAULTS = DetectorSettings()
# What the next detector to be made takes, unless its arguments say otherwise.
confidence_threshold = _DEFAULTS.confidence_threshold
top_k = _DEFAULTS.top_k
keep_top_k = _DEFAULTS.keep_top_k
nms_threshold = _DEFAULTS.nms_threshold
vis_thres = _DEFAULTS.vis_thres
HEIGHT, WIDTH = _DEFAULTS.max_height, _DEFAULTS.max_width
scale_flag = True
_DEFAULT_ONNX = str(Path(DEFAULT_CHECKPOINT).with_suffix(".onnx").as_posix())
onnx_path = _DEFAULT_ONNX


def make_abs_path(fn: str) -> str:
    """Return the path of a file beside this module."""
    return str(Path(__file__).resolve().parent / fn)


class FaceBoxes_ONNX(_contract.BoxLister):  # noqa: N801 (the reference's name)
    """Face detector in ONNX Runtime that returns lists, as the reference's does.

    It can be pickled and copied: the copy opens the network anew.

    Parameters
    ----------
    timer_flag : bool
        Log the times of each call at level INFO.
    gpu_mode : bool
        Run on a CUDA device, where this ONNX Runtime has one; else a warning, and the CPU.
    gpu_id : int
        Which one.
    **arguments
        See `FaceBoxes.onnx_detector.FaceBoxes_ONNX`.

    Attributes
    ----------
    session : onnxruntime.InferenceSession
        The network.
    """

    def __init__(
        self, timer_flag: bool = False, gpu_mode: bool = False, gpu_id: int = 0, **arguments: Any
    ) -> None:
        if gpu_mode:
            arguments.setdefault("providers", providers_for(gpu_id))
        if onnx_path != _DEFAULT_ONNX:
            arguments.setdefault("onnx_fp", onnx_path)
        settings = _contract.settings_from(globals())
        detector = _detector.FaceBoxes_ONNX(timer_flag, **(settings | arguments))
        super().__init__(detector)


def viz_bbox(img: npt.NDArray[Any], dets: npt.ArrayLike, wfp: str | Path = "out.jpg") -> None:
    """Draw boxes with a score from `vis_thres` up into `img`, which is changed, and write it."""
    _contract.viz_bbox(img, dets, wfp, vis_thres)
