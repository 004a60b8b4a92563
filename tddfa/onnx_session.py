"""Opening a network in ONNX Runtime, on the CPU or on what else it was built for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.optimized_model import open_optimized
from tddfa.processor import has_vnni
from tddfa.runtime import Backend, Precision, Runtime

CPU = "CPUExecutionProvider"
_SUFFIX = "ExecutionProvider"
# What brings a provider; ONNX Runtime has them in packages of their own.
_PACKAGES = {
    "CUDAExecutionProvider": "onnxruntime-gpu",
    "TensorrtExecutionProvider": "onnxruntime-gpu",
    "DmlExecutionProvider": "onnxruntime-directml",
    "OpenVINOExecutionProvider": "onnxruntime-openvino",
    "CoreMLExecutionProvider": "onnxruntime",
    "ROCMExecutionProvider": "onnxruntime-rocm",
    "MIGraphXExecutionProvider": "onnxruntime-rocm",
    "QNNExecutionProvider": "onnxruntime-qnn",
    "CANNExecutionProvider": "onnxruntime-cann",
}


def provider_names(wanted: Sequence[str] | None, available: Sequence[str]) -> list[str]:
    """Return ONNX Runtime's names of execution providers.

    Parameters
    ----------
    wanted : sequence of str, optional
        Names in full or short (``cuda``), in any case; the preferred one first. By default the
        CPU's.
    available : sequence of str
        What ONNX Runtime has here.

    Raises
    ------
    InputError
        If one is not available; the message names the package that brings it.

    Examples
    --------
    >>> provider_names(["cuda"], ["CUDAExecutionProvider", "CPUExecutionProvider"])
    ['CUDAExecutionProvider']
    """
    if isinstance(wanted, str):
        wanted = [wanted]
    known = {name.lower(): name for name in (*_PACKAGES, *available)}
    names = []
    for name in wanted or [CPU]:
        short = str(name).lower().removesuffix(_SUFFIX.lower())
        full = known.get(f"{short}{_SUFFIX.lower()}", str(name))
        if full not in available:
            there = ", ".join(available)
            package = _PACKAGES.get(full)
            hint = f": pip install {package}" if package else ""
            raise InputError(f"providers: '{full}' is not among {there}{hint}")
        names.append(full)
    return names


def open_session(
    path: Path, providers: Sequence[str] | None = None, num_threads: int | None = None
) -> Any:
    """Open an ONNX file.

    Parameters
    ----------
    path : Path
        The network.
    providers : sequence of str, optional
        See `provider_names`. What the first one lacks falls to the next, in the end to the CPU.
    num_threads : int, optional
        Threads of the network; by default ONNX Runtime's choice, one per physical core.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    InputError
        If the file is no network, a provider is not available, or the first one does not start
        (CUDA without its libraries or a GPU): ONNX Runtime would go on without it, slowly.
    """
    import onnxruntime

    if num_threads is not None and num_threads < 1:
        raise InputError(f"num_threads: expected an integer from 1 up, got {num_threads}")
    # From 1.31 on its builds tell their maker about each network; pictures of faces are private.
    onnxruntime.disable_telemetry_events()
    chosen = provider_names(providers, onnxruntime.get_available_providers())

    def options() -> Any:
        made = onnxruntime.SessionOptions()
        made.intra_op_num_threads = num_threads or 0
        # Threads wait in a loop for each other, as is fastest, but no longer than the network runs:
        # by default they go on for a while, which takes a core from whatever comes next.
        made.add_session_config_entry("session.force_spinning_stop", "1")
        if not has_vnni():  # of quantized networks: in place of faster sums that overflow
            made.add_session_config_entry("session.x64quantprecision", "1")
        # Plans of buffers by input size: they take memory and save no time.
        made.enable_mem_pattern = False
        # Errors only; of a provider that does not start we tell ourselves.
        made.log_severity_level = 3 if chosen[0] == CPU else 4
        return made

    try:
        if chosen == [CPU]:
            session = open_optimized(path, options)
        else:
            session = onnxruntime.InferenceSession(str(path), options(), providers=chosen)
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        if chosen[0] != CPU and _loads(onnxruntime, path):
            raise InputError(f"'{path}': cannot be run by {chosen[0]}") from error
        raise InputError(f"'{path}': expected an ONNX network that can be loaded") from error
    if chosen[0] not in session.get_providers():
        raise InputError(
            f"ONNX Runtime cannot start {chosen[0]}: its libraries or the device are missing"
        )
    return session


def run_network(session: Any, batch: npt.NDArray[np.float32], path: Path) -> list[Any]:
    """Run a network of one input and return its outputs.

    Parameters
    ----------
    session : onnxruntime.InferenceSession or OpenVINONetwork
    batch : ndarray, float32
        The input.
    path : Path
        The network's file, for messages.

    Raises
    ------
    InputError
        If the network cannot be run: a damaged or foreign one may be loaded without complaint.
    """
    try:
        return list(session.run(None, {session.get_inputs()[0].name: batch}))
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        raise InputError(
            f"'{path}': the network fails on an input of shape {batch.shape}"
        ) from error


def open_network(
    path: Path,
    backend: Backend = "onnx",
    *,
    providers: Sequence[str] | None = None,
    num_threads: int | None = None,
    precision: Precision = "auto",
) -> Any:
    """Open an ONNX file in ONNX Runtime or in OpenVINO.

    Parameters
    ----------
    path : Path
        The network.
    backend : {'onnx', 'openvino'}
    providers, num_threads
        See `open_session`.
    precision : {'auto', 'float32', 'bfloat16', 'int8'}
        See `tddfa.runtime.Runtime`.

    Returns
    -------
    onnxruntime.InferenceSession or OpenVINONetwork
        Both have ``run``, ``get_inputs`` and ``get_outputs``.

    Raises
    ------
    InputError
        As `open_session`, or if backend and the rest do not go together.
    """
    wanted = None if providers is None else tuple(providers)
    Runtime(backend, providers=wanted, precision=precision)  # checks that they go together
    if backend == "openvino":
        from tddfa.openvino_network import OpenVINONetwork

        return OpenVINONetwork(path, num_threads, precision)
    return open_session(path, providers, num_threads)


def _loads(runtime: Any, path: Path) -> bool:
    """Tell whether the CPU can run a network."""
    try:
        runtime.InferenceSession(str(path), providers=[CPU])
    except Exception:  # ONNX Runtime's exceptions share no base class
        return False
    return True
