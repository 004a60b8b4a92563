"""A second head of the regressor: its pooled features to ARKit's 52 coefficients (PyTorch)."""

from pathlib import Path

import torch
from torch import nn

from tddfa.arkit52 import NAMES
from tddfa.backbone import Backbone
from tddfa.checkpoints import load_labels, load_state_dict
from tddfa.errors import InputError
from tddfa.weight_labels import BLENDSHAPES, check_network, file_sha256


class BlendshapeHead(nn.Module):
    """Two linear layers with a sigmoid behind them.

    Parameters
    ----------
    n_features : int
        What a `tddfa.backbone.Backbone` gives as features.
    hidden : int
        Width between the layers.
    """

    def __init__(self, n_features: int, hidden: int) -> None:
        super().__init__()
        self.fc_hidden = nn.Linear(n_features, hidden)
        self.fc_shapes = nn.Linear(hidden, len(NAMES))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (n, n_features) to coefficients (n, 52) in [0, 1]."""
        return torch.sigmoid(self.logits(features))

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Return what the sigmoid is taken of."""
        found: torch.Tensor = self.fc_shapes(torch.relu(self.fc_hidden(features)))
        return found


def load_blendshape_head(path: Path, n_features: int | None = None) -> BlendshapeHead:
    """Load a head in evaluation mode.

    Parameters
    ----------
    path : Path
        ``.pth`` of ``training.train_blendshapes``.
    n_features : int, optional
        Features that the regressor has.

    Raises
    ------
    InputError
        If it is none, or reads another number of features.
    """
    check_network(path, load_labels(path), BLENDSHAPES)
    state = load_state_dict(path)
    try:
        hidden, width = state["fc_hidden.weight"].shape
        head = BlendshapeHead(width, hidden)
        head.load_state_dict(state)
    except (KeyError, ValueError, RuntimeError) as error:
        raise InputError(f"'{path}': expected weights of a blendshape head") from error
    if n_features not in (None, width):
        raise InputError(f"'{path}': expected a head of {n_features} features, got {width}")
    return head.eval()


def load_head_of(path: Path, checkpoint: Path, network: Backbone) -> BlendshapeHead:
    """Load the head of a regressor.

    Raises
    ------
    InputError
        If it was trained on another regressor's features.
    """
    if load_labels(path).checkpoint != file_sha256(checkpoint):
        raise InputError(
            f"'{path}' was trained on other features than those of '{checkpoint}' "
            "(python -m training.train_blendshapes trains one)"
        )
    return load_blendshape_head(path, network.fc_param.in_features)
