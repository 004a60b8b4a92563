"""ResNet-22 under the reference's names (PyTorch); there are no trained weights of it here."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.functional import max_pool2d, relu

_WIDTHS = (64, 128, 256)


def conv3x3(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """Return a bias-free 3x3 convolution with padding."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, 1, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a way around them; `downsample` fits its size where it changes."""

    expansion = 1

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, inplanes, h, w) to (n, planes, h / stride, w / stride)."""
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        return relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Residual network (He et al., "Deep Residual Learning", CVPR 2016) with a linear last layer.

    Parameters
    ----------
    block : type
        `BasicBlock`.
    layers : sequence of int
        Number of blocks in each of three stages, of 64, 128 and 256 channels.
    num_classes : int
        Length of the output.
    num_landmarks : int
        Not looked at: the landmark branch belongs to training.
    input_channel : int
        Channels of the input.
    """

    def __init__(
        self,
        block: type[BasicBlock] = BasicBlock,
        layers: Sequence[int] = (3, 4, 3),
        num_classes: int = 62,
        num_landmarks: int = 136,
        input_channel: int = 3,
        **ignored: Any,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(input_channel, _WIDTHS[0], 5, 2, 2, bias=False)
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        n_in = _WIDTHS[0]
        for number, (planes, count) in enumerate(zip(_WIDTHS, layers, strict=True), start=1):
            fit = nn.Sequential(nn.Conv2d(n_in, planes, 1, 2, bias=False), nn.BatchNorm2d(planes))
            blocks = [block(n_in, planes, 2, fit)]
            blocks += [block(planes, planes) for _ in range(count - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            n_in = planes
        self.fc_param = nn.Linear(n_in, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (n, input_channel, h, w) to (n, num_classes)."""
        x = max_pool2d(relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, len(_WIDTHS) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return self.fc_param(x.mean(dim=(2, 3)))


def resnet22(**kwargs: Any) -> ResNet:
    """Return a ResNet of 22 layers with fresh weights: 1 + 2·(3 + 4 + 3) + 1."""
    return ResNet(BasicBlock, (3, 4, 3), **kwargs)
