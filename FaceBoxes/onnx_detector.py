"""The face detector in ONNX Runtime; never imports PyTorch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from FaceBoxes.base_detector import BaseDetector
from FaceBoxes.detector import default_checkpoint
from FaceBoxes.settings import SettingArguments
from tddfa.assets import find_asset
from tddfa.errors import InputError
from tddfa.onnx_cache import find_onnx
from tddfa.onnx_session import open_network, run_network
from tddfa.rebuilt import RebuiltFromArguments
from tddfa.runtime import Backend, Precision


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
    providers : sequence of str, optional
        ONNX Runtime's execution providers, the preferred one first, as ``"cuda"`` or
        ``"CUDAExecutionProvider"``; by default the CPU's.
    assets : str or Path, optional
        Asset folder in which relative paths are looked up.
    backend : {'onnx', 'openvino'}
        What runs the network.
    precision : {'auto', 'float32', 'bfloat16', 'int8'}
        What it computes in, see `tddfa.runtime.Runtime`.
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
        providers: Sequence[str] | None = None,
        assets: str | Path | None = None,
        backend: Backend = "onnx",
        precision: Precision = "auto",
        **settings: Unpack[SettingArguments],
    ) -> None:
        super().__init__(timer_flag, **settings)
        self.arguments = dict(
            timer_flag=timer_flag,
            onnx_fp=onnx_fp,
            num_threads=num_threads,
            providers=providers,
            assets=assets,
            backend=backend,
            precision=precision,
            **settings,
        )
        if onnx_fp is None:
            path = find_onnx(default_checkpoint(assets))
        else:
            path = find_asset(onnx_fp, assets)
        self._path = path
        self.session = open_network(
            path, backend, providers=providers, num_threads=num_threads, precision=precision
        )
        _check_network(self.session, path)

    def _forward(
        self, blob: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        loc, conf = run_network(self.session, blob, self._path)
        return loc, conf


def _check_network(session: Any, path: Path) -> None:
    shapes = [value.shape for value in (*session.get_inputs(), *session.get_outputs())]
    if [len(shape) for shape in shapes] != [4, 3, 3] or (
        [shapes[0][1], shapes[1][2], shapes[2][2]] != [3, 4, 2]
    ):
        raise InputError(f"{path}: not a FaceBoxes network: inputs and outputs {shapes}")
