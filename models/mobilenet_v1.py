"""MobileNet-V1 under the reference's names (PyTorch)."""

from typing import Any

import torch
from torch import nn

from tddfa.backbones import mobilenet as _network
from tddfa.backbones.mobilenet import SeparableBlock


class DepthWiseBlock(SeparableBlock):
    """Depthwise 3x3 and pointwise 1x1 convolution.

    Parameters
    ----------
    inplanes, planes : int
        Channels in and out.
    stride : int
        Of the depthwise convolution.
    prelu : bool
        PReLU with one learned slope in place of ReLU.
    """

    def __init__(self, inplanes: int, planes: int, stride: int = 1, prelu: bool = False) -> None:
        super().__init__(inplanes, planes, stride)
        if prelu:
            self.relu = nn.PReLU()  # the reference exchanges it as well


class MobileNet(_network.MobileNet):
    """MobileNet-V1 whose last layer is called ``fc``.

    Parameters
    ----------
    widen_factor : float
        Multiplies all channel numbers.
    num_classes : int
        Length of the output; 62 for the regressor.
    prelu : bool
        PReLU in place of ReLU.
    input_channel : int
        Channels of the input.
    """

    def __init__(
        self,
        widen_factor: float = 1.0,
        num_classes: int = 1000,
        prelu: bool = False,
        input_channel: int = 3,
    ) -> None:
        super().__init__(widen_factor, num_classes)
        self.fc = self.fc_param
        del self.fc_param
        stem = self.conv1
        if input_channel != stem.in_channels:
            self.conv1 = nn.Conv2d(input_channel, stem.out_channels, 3, 2, 1, bias=False)
        if prelu:
            for module in [self, *self.children()]:
                if hasattr(module, "relu"):
                    module.relu = nn.PReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (n, input_channel, h, w) to (n, num_classes)."""
        return self.fc(self.features(x))


def mobilenet(**kwargs: Any) -> MobileNet:
    """Return a MobileNet; ``widen_factor`` 1 and ``num_classes`` 62 unless the arguments differ.

    Other arguments, such as ``size`` and ``mode``, have no effect.
    """
    return MobileNet(
        widen_factor=kwargs.get("widen_factor", 1.0),
        num_classes=kwargs.get("num_classes", 62),
        input_channel=kwargs.get("input_channel", 3),
    )


def mobilenet_2(num_classes: int = 62, input_channel: int = 3) -> MobileNet:
    """Return a MobileNet of width 2."""
    return MobileNet(2.0, num_classes, input_channel=input_channel)


def mobilenet_1(num_classes: int = 62, input_channel: int = 3) -> MobileNet:
    """Return a MobileNet of width 1."""
    return MobileNet(1.0, num_classes, input_channel=input_channel)


def mobilenet_075(num_classes: int = 62, input_channel: int = 3) -> MobileNet:
    """Return a MobileNet of width 0.75."""
    return MobileNet(0.75, num_classes, input_channel=input_channel)


def mobilenet_05(num_classes: int = 62, input_channel: int = 3) -> MobileNet:
    """Return a MobileNet of width 0.5."""
    return MobileNet(0.5, num_classes, input_channel=input_channel)


def mobilenet_025(num_classes: int = 62, input_channel: int = 3) -> MobileNet:
    """Return a MobileNet of width 0.25."""
    return MobileNet(0.25, num_classes, input_channel=input_channel)
