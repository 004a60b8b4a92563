"""Read PyTorch checkpoints without trusting them; write them with their labels."""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tddfa.errors import InputError
from tddfa.io.atomic import atomic_write
from tddfa.weight_labels import WeightLabels

LABELS = "labels"


def load_state_dict(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a checkpoint's tensors, floats as float32, on the CPU, without executing anything.

    Parameters
    ----------
    path : str or Path
        ``.pth`` with a dict of tensors, or a dict with such a dict under ``state_dict``. The prefix
        ``module.`` of names, which data-parallel training leaves, is dropped.

    Raises
    ------
    InputError
        If the file is unreadable or holds anything but tensors and plain values.
    """
    return {
        name.removeprefix("module."): value.float() if value.is_floating_point() else value
        for name, value in load_tensors(path).items()
    }


def load_tensors(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a checkpoint's tensors as `load_state_dict`, but names and precision as they are."""
    data = _load(path)
    state = data.get("state_dict", data) if isinstance(data, dict) else None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        raise InputError(f"'{path}': expected a state_dict of tensors")
    return state


def holds_detector(state: Mapping[str, torch.Tensor]) -> bool:
    """Return whether tensors are those of FaceBoxes."""
    return any(name.startswith("inception1.") for name in state)


def holds_face_check(state: Mapping[str, torch.Tensor]) -> bool:
    """Return whether tensors are those of the face check."""
    return "stem_norm.weight" in state and "answer.weight" in state


def load_labels(path: str | Path) -> WeightLabels:
    """Read what a checkpoint says of itself; nothing in files of others.

    Raises
    ------
    InputError
        If the file is unreadable or holds anything but tensors and plain values.
    """
    data = _load(path)
    return WeightLabels.from_mapping(data.get(LABELS) if isinstance(data, dict) else None)


def save_checkpoint(
    path: str | Path, state: Mapping[str, torch.Tensor], labels: WeightLabels | None = None
) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Target, ``.pth``.
    state : mapping of str to Tensor
        Kept as it is, precision included.
    labels : WeightLabels, optional
        What the weights were trained for.
    """
    data: dict[str, Any] = {"state_dict": dict(state)}
    if labels is not None and labels.as_dict():
        data[LABELS] = labels.as_dict()
    # Through memory: PyTorch would put the temporary file's name into the archive.
    buffer = io.BytesIO()
    torch.save(data, buffer)
    with atomic_write(path) as file:
        file.write(buffer.getbuffer())


def _load(path: str | Path) -> Any:
    if not Path(path).is_file():
        raise InputError(f"'{path}': no such file, expected a PyTorch checkpoint")
    try:
        with warnings.catch_warnings(action="ignore"):  # guesses about what else it might be
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"'{path}': cannot be read: {error.strerror or error}") from error
    except Exception as error:  # torch documents no closed set of errors for a damaged file
        raise InputError(f"'{path}': expected a PyTorch checkpoint of tensors alone") from error
