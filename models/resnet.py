"""ResNet-22 under the reference's names (PyTorch); there are no trained weights of it here."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from tddfa.backbones import resnet as _network
from tddfa.backbones.resnet import BasicBlock

__all__ = ["BasicBlock", "ResNet", "conv3x3", "resnet22"]


def conv3x3(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """Return a bias-free 3x3 convolution with padding."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, 1, bias=False)


class ResNet(_network.ResNet):
    """`tddfa.backbones.resnet.ResNet` with the reference's arguments.

    Parameters
    ----------
    block : type
        `BasicBlock`, whatever is given.
    layers : sequence of int
        Blocks of each stage, at most four stages.
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
        layers: Sequence[int] = _network.BLOCKS,
        num_classes: int = 62,
        num_landmarks: int = 136,
        input_channel: int = 3,
        **ignored: Any,
    ) -> None:
        super().__init__(1.0, num_classes, layers, input_channel)


def resnet22(**kwargs: Any) -> ResNet:
    """Return a ResNet of 22 layers with fresh weights."""
    return ResNet(**kwargs)
