"""The regressor as it is trained: fresh weights, a second head, a moving average."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from tddfa.backbone import Backbone

N_POINTS_2D = 136
Network = TypeVar("Network", bound=nn.Module)


class TrainingNet(nn.Module):
    """Regressor with an optional head for landmark-regression regularization.

    Parameters
    ----------
    regressor : Backbone
    landmark_head : bool
        Add a linear layer, features to 68 points in 2D, that is dropped at inference.
    """

    def __init__(self, regressor: Backbone, landmark_head: bool = False) -> None:
        super().__init__()
        self.regressor = regressor
        self.fc_lm = (
            nn.Linear(regressor.fc_param.in_features, N_POINTS_2D) if landmark_head else None
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return normalized parameters (n, 62) and the second head's points (n, 136), if any."""
        return self.heads(self.regressor.features(x))

    def heads(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what `forward` returns, for the regressor's features."""
        points = None if self.fc_lm is None else self.fc_lm(features)
        return self.regressor.fc_param(features), points


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
