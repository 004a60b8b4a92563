"""The reference's name of the detector in PyTorch; new code has `FaceBoxes.detector`."""

from pathlib import Path
from typing import Any

import numpy.typing as npt

from FaceBoxes import detector as _detector
from FaceBoxes import reference_contract as _contract
from FaceBoxes.settings import DetectorSettings

_DEFAULTS = DetectorSettings()
# What the next detector to be made takes, unless its arguments say otherwise.
confidence_threshold = _DEFAULTS.confidence_threshold
top_k = _DEFAULTS.top_k
keep_top_k = _DEFAULTS.keep_top_k
nms_threshold = _DEFAULTS.nms_threshold
vis_thres = _DEFAULTS.vis_thres
HEIGHT, WIDTH = _DEFAULTS.max_height, _DEFAULTS.max_width
scale_flag = True
pretrained_path = _detector.DEFAULT_CHECKPOINT


def make_abs_path(fn: str) -> str:
    """Return the path of a file beside this module."""
    return str(Path(__file__).resolve().parent / fn)


class FaceBoxes(_contract.BoxLister):
    """Face detector in PyTorch that returns lists, as the reference's does.

    Parameters
    ----------
    timer_flag : bool
        Log the times of each call at level INFO.
    gpu_mode : bool
        Run on a CUDA device.
    gpu_id : int
        Which one.
    **arguments
        See `FaceBoxes.detector.FaceBoxes`.
    """

    detector: _detector.FaceBoxes  # of the list's contract any detector

    def __init__(
        self, timer_flag: bool = False, gpu_mode: bool = False, gpu_id: int = 0, **arguments: Any
    ) -> None:
        if gpu_mode:
            arguments.setdefault("device", f"cuda:{gpu_id}")
        if pretrained_path != _detector.DEFAULT_CHECKPOINT:
            arguments.setdefault("checkpoint_fp", pretrained_path)
        settings = _contract.settings_from(globals())
        detector = _detector.FaceBoxes(timer_flag, **(settings | arguments))
        super().__init__(detector)

    @property
    def net(self) -> Any:
        """The network, a `torch.nn.Module`."""
        return self.detector.network


def viz_bbox(img: npt.NDArray[Any], dets: npt.ArrayLike, wfp: str | Path = "out.jpg") -> None:
    """Draw boxes with a score from `vis_thres` up into `img`, which is changed, and write it."""
    _contract.viz_bbox(img, dets, wfp, vis_thres)
