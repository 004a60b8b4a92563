"""Networks in OpenVINO, run as sessions of ONNX Runtime are.

OpenVINO computes in bfloat16 where the processor does so natively (AMX, AVX512-BF16): about half
the time, and landmarks move by a twentieth of a pixel of the crop.
"""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.optional import require
from tddfa.runtime import Precision

logger = logging.getLogger(__name__)

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


@dataclass(frozen=True)
class NetworkValue:
    """An input or output.

    Attributes
    ----------
    name : str
    shape : list of int or None
        None for a free axis.
    """

    name: str
    shape: list[int | None]


class OpenVINONetwork:
    """A network on the CPU; it may be run from several threads.

    Parameters
    ----------
    path : Path
        ``.onnx`` file.
    num_threads : int, optional
        By default OpenVINO's choice.
    precision : {'auto', 'float32', 'bfloat16'}
        What it computes in. ``'auto'`` is bfloat16 where the processor has it, else float32.

    Attributes
    ----------
    precision : str
        What it computes in, in truth: ``'float32'`` or ``'bfloat16'``.

    Raises
    ------
    InputError
        If OpenVINO is not installed, the file is no network, or the processor lacks bfloat16.
    """

    def __init__(
        self, path: Path, num_threads: int | None = None, precision: Precision = "auto"
    ) -> None:
        require("the OpenVINO backend", "openvino")
        import openvino

        if num_threads is not None and num_threads < 1:
            raise InputError(f"num_threads: expected an integer from 1 up, got {num_threads}")
        core = openvino.Core()
        if precision == "bfloat16" and not _has_bfloat16(core):
            raise InputError("precision bfloat16: this processor has no such instructions")
        # One picture at a time, and threads that go where there is room.
        settings: dict[str, Any] = {"NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}
        if num_threads is not None:
            settings["INFERENCE_NUM_THREADS"] = num_threads
        if precision in _HINTS:
            settings["INFERENCE_PRECISION_HINT"] = _HINTS[precision]
        try:
            self._network = core.compile_model(str(path), "CPU", settings)
        except Exception as error:  # OpenVINO raises RuntimeError, and says so nowhere
            raise InputError(f"'{path}': expected an ONNX network that can be loaded") from error
        # Each thread needs a request of its own; what it holds lives as long as the thread.
        self._local = threading.local()
        kind = self._network.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.precision = {"bf16": "bfloat16", "f32": "float32"}.get(kind, kind)
        logger.debug("%s: OpenVINO computes in %s", path.name, self.precision)

    def get_inputs(self) -> list[NetworkValue]:
        """Return the inputs."""
        return [_described(port) for port in self._network.inputs]

    def get_outputs(self) -> list[NetworkValue]:
        """Return the outputs."""
        return [_described(port) for port in self._network.outputs]

    def run(
        self, names: None, inputs: dict[str, npt.NDArray[np.float32]]
    ) -> list[npt.NDArray[np.float32]]:
        """Run it on inputs by name and return all outputs."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._network.create_infer_request()
        blobs = {name: np.ascontiguousarray(blob) for name, blob in inputs.items()}
        found = request.infer(blobs, share_inputs=True)
        return [np.asarray(found[port]) for port in self._network.outputs]


def _has_bfloat16(core: Any) -> bool:
    """Tell whether OpenVINO would choose bfloat16 by itself: it does where it is native."""
    from openvino import Model, opset13

    value = opset13.parameter([1], np.float32)
    network = core.compile_model(Model([opset13.relu(value)], [value], "probe"), "CPU")
    return str(network.get_property("INFERENCE_PRECISION_HINT").get_type_name()) == "bf16"


def _described(port: Any) -> NetworkValue:
    shape = [None if axis.is_dynamic else axis.get_length() for axis in port.partial_shape]
    return NetworkValue(port.any_name, shape)
