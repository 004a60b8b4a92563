"""Arguments of the reference's constructors: what to do with those that the new API has not."""

import logging
import reprlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from tddfa.config import Config
from tddfa.errors import InputError

_LOGGER = logging.getLogger(__name__)

CUDA_PROVIDER = "CUDAExecutionProvider"
# Read by the reference's networks other than MobileNet-V1 or by its demos.
_WITHOUT_EFFECT = {"mode", "show_flag", "onnx"}


def check_gpu_mode(value: Any) -> None:
    """Refuse what cannot be meant as ``gpu_mode``, the first argument of the constructors.

    ``TDDFA_ONNX(cfg)`` lacks the two stars of ``TDDFA_ONNX(**cfg)``: a mapping counts as true, and
    the default configuration would be built, silently.

    Raises
    ------
    InputError
        If it is no bool, integer or None.
    """
    if isinstance(value, Mapping):
        raise InputError("gpu_mode: expected true or false, got a mapping; pass it as **cfg")
    if value is not None and not isinstance(value, int | np.integer | np.bool_):
        raise InputError(f"gpu_mode: expected true or false, got {reprlib.repr(value)}")


def configuration(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that a configuration has; others are left out with a warning.

    The reference takes any key, so that people keep settings of their own in the same YAML file.
    ``arch``, ``size`` and the others are checked as ever.
    """
    known = {field.name for field in fields(Config)}
    for key in values:
        if key not in known and key not in _WITHOUT_EFFECT:
            _LOGGER.warning("configuration: key '%s' is unknown and has no effect", key)
    return {key: value for key, value in values.items() if key in known}


def providers_for(gpu_id: int = 0) -> list[str]:
    """Return ONNX Runtime's providers for ``gpu_mode=True``: CUDA where it is there, else the CPU.

    The reference takes the flag and leaves the device to ONNX Runtime; so a GPU that is not there
    is a warning here, no error.
    """
    import onnxruntime

    cpu = ["CPUExecutionProvider"]
    if CUDA_PROVIDER not in onnxruntime.get_available_providers():
        _LOGGER.warning("gpu_mode: this ONNX Runtime has no CUDA (onnxruntime-gpu); uses the CPU")
        return cpu
    if gpu_id:
        _LOGGER.warning("gpu_id: ONNX Runtime uses the first device; set CUDA_VISIBLE_DEVICES")
    return [CUDA_PROVIDER, *cpu]
