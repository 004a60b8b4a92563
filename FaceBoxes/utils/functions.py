"""Loading weights under the reference's names."""

from pathlib import Path
from typing import Any

from tddfa.assets import find_asset
from tddfa.checkpoints import load_state_dict
from tddfa.errors import InputError


def check_keys(model: Any, pretrained_state_dict: dict[str, Any]) -> bool:
    """Return True if a checkpoint has any tensor of the model.

    Raises
    ------
    InputError
        If it has none.
    """
    if not set(model.state_dict()) & set(pretrained_state_dict):
        raise InputError("checkpoint: expected tensors of this network, found none")
    return True


def remove_prefix(state_dict: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the dictionary with a prefix cut off where keys have it."""
    return {key.removeprefix(prefix): value for key, value in state_dict.items()}


def load_model(model: Any, pretrained_path: str | Path, load_to_cpu: bool = True) -> Any:
    """Load weights into a network and return it; nothing but tensors is unpickled.

    Parameters
    ----------
    model : torch.nn.Module
        Network; tensors that the file lacks keep their values, those it has besides are ignored.
    pretrained_path : path-like
        ``.pth``, looked up as in a configuration.
    load_to_cpu : bool
        Where the file is read to; the values are then copied to where the network is.

    Raises
    ------
    InputError
        If the file is no checkpoint or has no tensor of this network.
    """
    state = load_state_dict(find_asset(pretrained_path))
    check_keys(model, state)
    try:
        model.load_state_dict(state, strict=False)
    except RuntimeError as error:  # shapes that differ
        raise InputError(f"'{pretrained_path}': expected weights of this network") from error
    return model
