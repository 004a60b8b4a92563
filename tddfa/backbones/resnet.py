"""ResNet-22 that regresses face parameters (PyTorch); there are no trained weights of it here."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn.functional import max_pool2d, relu

from tddfa.backbone import Backbone

_STEM = 64
# Channels at width 1 and stride of each stage.

_STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))
# Blocks of each stage: 1 + 2·(2 + 3 + 3 + 2) + 1 = 22 layers.
BLOCKS = (2, 3, 3, 2)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a way around them, projected where the size changes.

    ::

        x ---- conv, bn, relu, conv, bn ---(+)-- relu -->
          `------- (1x1 conv, bn) ---------'
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, n_in, h, w) to (n, n_out, h / stride, w / stride)."""
        y = relu(self.bn1(self.conv1(x)))
        return relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet(Backbone):
    """Residual network (He et al., "Deep Residual Learning", CVPR 2016) of 22 layers.

    Parameters
    ----------
    widen_factor : float
        Multiplies all channel numbers; 1.0: 12.7 M parameters.
    num_params : int
        Length of the regressed vector.
    blocks : sequence of int
        Blocks of each stage, at most four stages.
    n_channels : int
        Channels of the picture.
    """

    def __init__(
        self,
        widen_factor: float = 1.0,
        num_params: int = 62,
        blocks: Sequence[int] = BLOCKS,
        n_channels: int = 3,
    ) -> None:
        super().__init__()
        n_in = int(_STEM * widen_factor)
        self.n_stages = len(blocks)
        self.conv1 = nn.Conv2d(n_channels, n_in, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(n_in)
        stages = zip(_STAGES[: self.n_stages], blocks, strict=True)
        for number, ((channels, stride), count) in enumerate(stages, 1):
            n_out = int(channels * widen_factor)
            stage = [BasicBlock(n_in, n_out, stride)]
            stage += [BasicBlock(n_out, n_out, 1) for _ in range(count - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*stage))
            n_in = n_out
        self.fc_param = nn.Linear(n_in, num_params)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (n, 3, 120, 120) to pooled features (n, 512 * widen_factor)."""
        x = max_pool2d(relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, self.n_stages + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean(dim=(2, 3))


def build(widen_factor: float, num_params: int) -> ResNet:
    """Return a network with fresh weights."""
    return ResNet(widen_factor, num_params)


def sizes(state: Mapping[str, torch.Tensor]) -> tuple[float, int] | None:
    """Return width and number of parameters of a ResNet-22's tensors, None if they are others'."""
    blocks = {".".join(key.split(".")[:2]) for key in state if key.startswith("layer")}
    expected = {f"layer{i}.{j}" for i, count in enumerate(BLOCKS, 1) for j in range(count)}
    if blocks != expected or not {"conv1.weight", "fc_param.weight"} <= state.keys():
        return None
    return state["conv1.weight"].shape[0] / _STEM, state["fc_param.weight"].shape[0]
