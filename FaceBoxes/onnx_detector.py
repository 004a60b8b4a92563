"""The face detector in ONNX Runtime; never imports PyTorch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from FaceBoxes.base_detector import BaseDetector
from FaceBoxes.detector import default_checkpoint
from FaceBoxes.settings import SettingArguments
from tddfa.assets import find_asset
from tddfa.errors import InputError
from tddfa.onnx_cache import find_onnx
from tddfa.rebuilt import RebuiltFromArguments


class FaceBoxes_ONNX(RebuiltFromArguments, BaseDetector):  # noqa: N801 (the reference's name)
    """Face detector that runs in ONNX Runtime.

    It can be pickled and copied: the copy opens the network anew.

    Parameters
    ----------
    timer_flag : bool
        Log the times of each call at level INFO.
    onnx_fp : str or Path, optional
        Network written by `FaceBoxes.export.export_onnx`; by default the one that belongs to
        ``weights/FaceBoxesProd.pth``, see `tddfa.onnx_cache.find_onnx`.
    num_threads : int, optional
        Threads of the network; by default ONNX Runtime takes one per core.
    providers : sequence of str
        ONNX Runtime's execution providers, the preferred one first.
    assets : str or Path, optional
        Asset folder in which relative paths are looked up.
    **settings
        Thresholds and size limits, see `FaceBoxes.settings.DetectorSettings`.

    Raises
    ------
    InputError
        If the network is missing or not FaceBoxes, a provider is absent, or a setting is out of
        range.
    """

    def __init__(
        self,
        timer_flag: bool = False,
        *,
        onnx_fp: str | Path | None = None,
        num_threads: int | None = None,
        providers: Sequence[str] = ("CPUExecutionProvider",),
        assets: str | Path | None = None,
        **settings: Unpack[SettingArguments],
    ) -> None:
        super().__init__(timer_flag, **settings)
        self.arguments = dict(
            timer_flag=timer_flag,
            onnx_fp=onnx_fp,
            num_threads=num_threads,
            providers=providers,
            assets=assets,
            **settings,
        )
        if onnx_fp is None:
            path = find_onnx(default_checkpoint(assets))
        else:
            path = find_asset(onnx_fp, assets)
        self.session = _open_session(path, num_threads, providers)
        self._input_name = self.session.get_inputs()[0].name

    def _forward(
        self, blob: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        loc, conf = self.session.run(None, {self._input_name: blob})
        return loc, conf


def _open_session(
    path: Path, num_threads: int | None, providers: Sequence[str]
) -> onnxruntime.InferenceSession:
    available = onnxruntime.get_available_providers()
    for name in providers:
        if name not in available:
            raise InputError(f"providers: '{name}' is not among {', '.join(available)}")
    if num_threads is not None and num_threads < 1:
        raise InputError(f"num_threads: expected an integer from 1 up, got {num_threads}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads or 0  # 0: one per core
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
    except Exception as error:  # its errors share no class but Exception
        raise InputError(f"{path}: not a network that ONNX Runtime can load") from error
    shapes = [value.shape for value in (*session.get_inputs(), *session.get_outputs())]
    if [len(shape) for shape in shapes] != [4, 3, 3] or (
        [shapes[0][1], shapes[1][2], shapes[2][2]] != [3, 4, 2]
    ):
        raise InputError(f"{path}: not a FaceBoxes network: inputs and outputs {shapes}")
    return session
