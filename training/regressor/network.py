"""The regressor as it is trained: fresh weights, heads beside its own, a moving average."""

from __future__ import annotations

import copy
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from tddfa.backbone import Backbone
from tddfa.blendshape_head import BlendshapeHead

N_POINTS_2D = 136
HIDDEN = 96  # width of the blendshapes' head, as `training.train_blendshapes` has it
Network = TypeVar("Network", bound=nn.Module)


class Outputs(NamedTuple):
    """What the heads say of n pictures.

    Attributes
    ----------
    params : Tensor, shape (n, 62)
        Normalized parameters.
    points : Tensor, shape (n, 136), optional
    blendshapes : Tensor, shape (n, 52), optional
    """

    params: Tensor
    points: Tensor | None = None
    blendshapes: Tensor | None = None

    def float(self) -> Outputs:
        """Return them in single precision."""
        rest = (None if part is None else part.float() for part in self[1:])
        return Outputs(self.params.float(), *rest)


class TrainingNet(nn.Module):
    """Regressor with optional heads that make its features say more; both are dropped afterwards.

    Parameters
    ----------
    regressor : Backbone
    landmark_head : bool
        Add a linear layer, features to 68 points in 2D: landmark-regression regularization.
    blendshape_head : bool
        Add one to the 52 coefficients, see `tddfa.blendshape_head`.
    """

    def __init__(
        self, regressor: Backbone, landmark_head: bool = False, blendshape_head: bool = False
    ) -> None:
        super().__init__()
        self.regressor = regressor
        width = regressor.fc_param.in_features
        self.blendshapes = BlendshapeHead(width, HIDDEN) if blendshape_head else None
        self.fc_lm = nn.Linear(width, N_POINTS_2D) if landmark_head else None

    def forward(self, x: Tensor) -> Outputs:
        """Return what the heads say of pictures (n, 3, 120, 120)."""
        return self.heads(self.regressor.features(x))

    def heads(self, features: Tensor) -> Outputs:
        """Return what `forward` returns, for the regressor's features."""
        points = None if self.fc_lm is None else self.fc_lm(features)
        shapes = None if self.blendshapes is None else self.blendshapes(features)
        return Outputs(self.regressor.fc_param(features), points, shapes)


def initialize(network: nn.Module) -> None:
    """Draw fresh weights: He's for convolutions, small ones for linear layers."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)


class MovingAverage(Generic[Network]):
    """Exponential moving average (EMA) of a network's weights and batch statistics.

    Parameters
    ----------
    network : nn.Module
    decay : float
        Reached gradually: after s steps it is at most (1 + s) / (10 + s), so that the first,
        worst weights are forgotten.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network: Network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards the network's weights after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        pairs = zip(self.network.state_dict().values(), network.state_dict().values(), strict=True)
        means, values = [], []
        for mean, value in pairs:
            if mean.is_floating_point():
                means.append(mean)
                values.append(value)
            else:
                mean.copy_(value)
        torch._foreach_lerp_(means, values, 1 - decay)
