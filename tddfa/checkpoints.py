"""Read PyTorch checkpoints without trusting them."""

import warnings
from pathlib import Path

import torch

from tddfa.errors import InputError


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
    if not Path(path).is_file():
        raise InputError(f"'{path}': no such file, expected a PyTorch checkpoint")
    try:
        with warnings.catch_warnings(action="ignore"):  # guesses about what else it might be
            data = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"'{path}': cannot be read: {error.strerror or error}") from error
    except Exception as error:  # torch documents no closed set of errors for a damaged file
        raise InputError(f"'{path}': expected a PyTorch checkpoint of tensors alone") from error
    state = data.get("state_dict", data) if isinstance(data, dict) else None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        raise InputError(f"'{path}': expected a state_dict of tensors")
    return {
        name.removeprefix("module."): value.float() if value.is_floating_point() else value
        for name, value in state.items()
    }
