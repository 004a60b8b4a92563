"""The detector's network under the reference's names (PyTorch)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from FaceBoxes import network as _network
from FaceBoxes.network import Inception

__all__ = ["BasicConv2d", "CRelu", "FaceBoxesNet", "Inception"]


class BasicConv2d(nn.Module):
    """Bias-free convolution, batch normalization, ReLU.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    **kwargs
        Of `torch.nn.Conv2d`: ``kernel_size``, ``stride``, ``padding``, …
    """

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated response."""
        return relu(self.bn(self.conv(x)))


class CRelu(BasicConv2d):
    """Bias-free convolution, batch normalization, and ReLU of x and of -x: twice the channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated response."""
        x = self.bn(self.conv(x))
        return relu(torch.cat((x, -x), dim=1))


class FaceBoxesNet(_network.FaceBoxesNet):
    """The network as the reference builds it; its names of tensors are the same.

    Parameters
    ----------
    phase : {'test', 'train'}
        ``'test'``: scores are probabilities, ``'train'``: logits, whatever the network's mode is.
    size : any
        Not looked at; the network takes pictures of any size.
    num_classes : int
        2: background and face.

    Raises
    ------
    ValueError
        If `num_classes` is not 2.
    """

    def __init__(self, phase: str = "test", size: Any = None, num_classes: int = 2) -> None:
        if num_classes != 2:
            raise ValueError(f"num_classes: expected 2, got {num_classes}")
        super().__init__()
        self.phase, self.size, self.num_classes = phase, size, num_classes

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return offsets (n, P, 4) and scores (n, P, 2) of pictures (n, 3, h, w)."""
        loc, logits = self.offsets_and_logits(x)
        return loc, logits.softmax(dim=2) if self.phase == "test" else logits
