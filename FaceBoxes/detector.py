"""The face detector in PyTorch."""

from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from FaceBoxes.base_detector import BaseDetector
from FaceBoxes.settings import SettingArguments
from tddfa.assets import find_asset
from tddfa.errors import InputError
from tddfa.optional import require
from tddfa.rebuilt import RebuiltFromArguments
from tddfa.torch_process import check_process, was_forked

DEFAULT_CHECKPOINT = "weights/FaceBoxesProd.pth"
# Where it lies in a copy of the reference's repository.
REFERENCE_CHECKPOINT = "FaceBoxes/weights/FaceBoxesProd.pth"


def default_checkpoint(assets: str | Path | None = None) -> Path:
    """Return the weights that are used when none are named.

    Raises
    ------
    InputError
        If they are neither in the project nor in the asset folder.
    """
    try:
        return find_asset(DEFAULT_CHECKPOINT, assets)
    except InputError as error:
        try:
            return find_asset(REFERENCE_CHECKPOINT, assets)
        except InputError:
            raise error from None


class FaceBoxes(RebuiltFromArguments, BaseDetector):
    """Face detector that runs in PyTorch, on the CPU or a GPU.

    It can be pickled and copied: the copy loads the weights anew.

    Parameters
    ----------
    timer_flag : bool
        Log the times of each call at level INFO.
    checkpoint_fp : str or Path, optional
        Weights; by default ``weights/FaceBoxesProd.pth`` as `tddfa.assets.find_asset` finds it.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    assets : str or Path, optional
        Asset folder in which relative paths are looked up.
    **settings
        Thresholds and size limits, see `FaceBoxes.settings.DetectorSettings`.

    Raises
    ------
    InputError
        If the weights are missing or not those of FaceBoxes, the device is absent, or a setting
        is out of range.

    Examples
    --------
    >>> face_boxes = FaceBoxes()                    # doctest: +SKIP
    >>> boxes = face_boxes(cv2.imread("face.jpg"))  # doctest: +SKIP
    """

    def __init__(
        self,
        timer_flag: bool = False,
        *,
        checkpoint_fp: str | Path | None = None,
        device: str = "cpu",
        assets: str | Path | None = None,
        **settings: Unpack[SettingArguments],
    ) -> None:
        super().__init__(timer_flag, **settings)
        self.arguments = dict(
            timer_flag=timer_flag,
            checkpoint_fp=checkpoint_fp,
            device=device,
            assets=assets,
            **settings,
        )
        require("the PyTorch path", "torch")
        checkpoint = (
            find_asset(checkpoint_fp, assets) if checkpoint_fp else default_checkpoint(assets)
        )
        from tddfa.checkpoint_head import check_head

        check_head(checkpoint)
        # PyTorch takes a second to import and has no place on the ONNX path.
        from FaceBoxes.inference_network import InferenceNet
        from FaceBoxes.network import load_network
        from tddfa.memory_layout import channels_last

        self._device = device
        self.network: Any = None
        if was_forked():  # a pool that unpickles this must not lose its worker: `_forward` raises
            return
        network = InferenceNet(load_network(checkpoint))
        try:
            # On a CPU the convolutions take half the time in this memory layout.
            self.network = channels_last(network).to(device)
        except (RuntimeError, AssertionError) as error:  # what PyTorch raises for a missing GPU
            raise InputError(f"device: PyTorch has no '{device}' here") from error

    def _forward(
        self, blob: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import torch

        check_process()
        with torch.inference_mode():
            image = torch.from_numpy(blob).to(self._device, memory_format=torch.channels_last)
            loc, conf = self.network(image)
        return loc.cpu().numpy(), conf.cpu().numpy()
