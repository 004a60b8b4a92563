"""MobileNet-V1 that regresses face parameters (PyTorch)."""

from collections.abc import Mapping

import torch
from torch import nn

from tddfa.backbone import Backbone

# Name, channels in and out at width 1, stride of the 13 depthwise-separable blocks.
_BLOCKS = (
    ("dw2_1", 32, 64, 1),
    ("dw2_2", 64, 128, 2),
    ("dw3_1", 128, 128, 1),
    ("dw3_2", 128, 256, 2),
    ("dw4_1", 256, 256, 1),
    ("dw4_2", 256, 512, 2),
    ("dw5_1", 512, 512, 1),
    ("dw5_2", 512, 512, 1),
    ("dw5_3", 512, 512, 1),
    ("dw5_4", 512, 512, 1),
    ("dw5_5", 512, 512, 1),
    ("dw5_6", 512, 1024, 2),
    ("dw6", 1024, 1024, 1),
)


class SeparableBlock(nn.Module):
    """Depthwise 3x3 and pointwise 1x1 convolution, each with batch normalization and ReLU."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(n_in, n_in, 3, stride, 1, groups=n_in, bias=False)
        self.bn_dw = nn.BatchNorm2d(n_in)
        self.conv_sep = nn.Conv2d(n_in, n_out, 1, bias=False)
        self.bn_sep = nn.BatchNorm2d(n_out)
        self.relu: nn.Module = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, n_in, h, w) to (n, n_out, h / stride, w / stride)."""
        x = self.relu(self.bn_dw(self.conv_dw(x)))
        return self.relu(self.bn_sep(self.conv_sep(x)))


class MobileNet(Backbone):
    """MobileNet-V1 (Howard et al., 2017) with one linear layer behind the pooled features.

    Parameters
    ----------
    widen_factor : float
        Multiplies all channel numbers; 1.0: 3.27 M parameters, 0.5: 0.85 M.
    num_params : int
        Length of the regressed vector.
    """

    def __init__(self, widen_factor: float = 1.0, num_params: int = 62) -> None:
        super().__init__()

        def width(channels: int) -> int:
            return int(channels * widen_factor)

        self.conv1 = nn.Conv2d(3, width(32), 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width(32))
        self.relu = nn.ReLU(inplace=True)
        for name, n_in, n_out, stride in _BLOCKS:
            self.add_module(name, SeparableBlock(width(n_in), width(n_out), stride))
        self.fc_param = nn.Linear(width(1024), num_params)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (n, 3, 120, 120) to pooled features (n, 1024 * widen_factor)."""
        x = self.relu(self.bn1(self.conv1(x)))
        for name, *_ in _BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3))


def build(widen_factor: float, num_params: int) -> MobileNet:
    """Return a network with fresh weights."""
    return MobileNet(widen_factor, num_params)


def sizes(state: Mapping[str, torch.Tensor]) -> tuple[float, int] | None:
    """Return width and number of parameters of a MobileNet's tensors, None if they are others'."""
    if not {"conv1.weight", "dw2_1.conv_dw.weight", "fc_param.weight"} <= state.keys():
        return None
    return state["conv1.weight"].shape[0] / 32, state["fc_param.weight"].shape[0]
