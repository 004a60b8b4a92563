"""Helpers of the aligner."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.assets import find_asset
from tddfa.compat.aligner import similar_transform
from tddfa.compat.transforms import NormalizeGjz, ToTensorGjz
from tddfa.compat.units import to_basel_units
from tddfa.errors import InputError
from tddfa.params import parse_param as _parse_param

__all__ = [
    "NormalizeGjz",
    "ToTensorGjz",
    "_parse_param",
    "_to_ctype",
    "load_model",
    "similar_transform",
    "str2bool",
    "to_basel_units",
]


def _to_ctype(arr: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array in C's order, itself if it is so already."""
    return arr if arr.flags.c_contiguous else np.ascontiguousarray(arr)


def str2bool(v: str | bool) -> bool:
    """Parse yes or no, true or false, t or f, y or n, 1 or 0, for argparse.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none of these.
    """
    word = str(v).lower()
    if word in ("yes", "true", "t", "y", "1"):
        return True
    if word in ("no", "false", "f", "n", "0"):
        return False
    raise argparse.ArgumentTypeError(f"expected true or false, got {v!r}")


def load_model(model: Any, checkpoint_fp: str | Path) -> Any:
    """Load a regressor's weights into a network and return it; nothing else is unpickled.

    Parameters
    ----------
    model : torch.nn.Module
        Such as ``models.mobilenet_v1.MobileNet``. Tensors that the file lacks keep their values,
        those it has besides, such as ``fc_lm``, are left out; the last layer may be called ``fc``
        or ``fc_param`` in either.
    checkpoint_fp : path-like
        ``.pth``, looked up as in a configuration.

    Raises
    ------
    InputError
        If the file is no checkpoint, or its tensors are not those of this network.
    """
    from tddfa.checkpoints import load_state_dict

    own = model.state_dict()
    found = {}
    for name, tensor in load_state_dict(find_asset(checkpoint_fp)).items():
        layer, _, rest = name.partition(".")
        other = {"fc": "fc_param", "fc_param": "fc"}.get(layer, layer)
        for candidate in (name, f"{other}.{rest}"):
            if candidate in own:
                found[candidate] = tensor
                break
    wrong = next((n for n, tensor in found.items() if tensor.shape != own[n].shape), None)
    if not found or wrong is not None:
        reason = f"'{wrong}' has another shape" if wrong else "no tensor of it is there"
        raise InputError(f"'{checkpoint_fp}': expected weights of this network, {reason}")
    model.load_state_dict(found, strict=False)
    return model
