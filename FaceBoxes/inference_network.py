"""The FaceBoxes network rearranged for speed; the same function up to rounding."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu
from torch.nn.utils.fusion import fuse_conv_bn_eval

from FaceBoxes.network import ConvUnit, FaceBoxesNet, anchor_rows


class InferenceNet(nn.Module):
    """Frozen copy of a `FaceBoxesNet`: input and output are those of its evaluation mode.

    - Batch normalization is folded into the convolutions.
    - The first convolution computes x and −x itself, by twice the filters: they are few, and
      negating, joining and reordering its large output costs more. (At the second convolution it
      is the other way round.)
    - Each layer's two heads are one convolution, whose channels come anchor by anchor.
    """

    def __init__(self, network: FaceBoxesNet) -> None:
        super().__init__()
        folded = fold_batch_norm(network)
        self.conv1 = _with_negative(folded.conv1.conv)
        self.conv2 = folded.conv2
        self.layers = nn.ModuleList(
            (
                nn.Sequential(folded.inception1, folded.inception2, folded.inception3),
                nn.Sequential(folded.conv3_1, folded.conv3_2),
                nn.Sequential(folded.conv4_1, folded.conv4_2),
            )
        )
        self.heads = nn.ModuleList(map(_joined_head, folded.loc, folded.conf))
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return `loc` and `conf` of a batch of pictures."""
        x = max_pool2d(relu(self.conv1(image)), 3, stride=2, padding=1)
        x = self.conv2(x)
        rows = []
        for layer, head in zip(self.layers, self.heads, strict=True):
            x = layer(x)
            rows.append(anchor_rows(head(x), 6))
        loc, conf = torch.cat(rows, dim=1).split((4, 2), dim=2)
        return loc, conf.softmax(dim=2)


def fold_batch_norm(network: FaceBoxesNet) -> FaceBoxesNet:
    """Return a copy in evaluation mode whose convolutions contain their batch normalization."""
    folded = copy.deepcopy(network).eval()
    for unit in folded.modules():
        if isinstance(unit, ConvUnit):
            unit.conv = fuse_conv_bn_eval(unit.conv, unit.bn)
            unit.register_module("bn", nn.Identity())
    return folded


def _with_negative(conv: nn.Conv2d) -> nn.Conv2d:
    weight, bias = conv.weight, conv.bias
    assert bias is not None  # folding made one
    return _convolution(conv, torch.cat((weight, -weight)), torch.cat((bias, -bias)))


def _joined_head(loc: nn.Module, conf: nn.Module) -> nn.Conv2d:
    """Return one convolution with the channels loc 0–3, conf 0–1 for each anchor in turn."""
    assert isinstance(loc, nn.Conv2d) and isinstance(conf, nn.Conv2d)
    assert loc.bias is not None and conf.bias is not None
    weight, bias = (
        torch.cat((a.unflatten(0, (-1, 4)), b.unflatten(0, (-1, 2))), dim=1).flatten(0, 1)
        for a, b in ((loc.weight, conf.weight), (loc.bias, conf.bias))
    )
    return _convolution(loc, weight, bias)


def _convolution(like: nn.Conv2d, weight: Tensor, bias: Tensor) -> nn.Conv2d:
    """Return a convolution with the geometry of `like` and the given weights."""
    assert isinstance(like.padding, tuple)
    conv = nn.Conv2d(
        weight.shape[1],
        weight.shape[0],
        (weight.shape[2], weight.shape[3]),
        stride=(like.stride[0], like.stride[1]),
        padding=(like.padding[0], like.padding[1]),
    )
    conv.load_state_dict({"weight": weight, "bias": bias})
    return conv
