"""The FaceBoxes network rearranged for speed; the same function up to rounding."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu
from torch.nn.utils.fusion import fuse_conv_bn_eval

from FaceBoxes.network import ConvUnit, FaceBoxesNet, anchor_rows

# Channels that processors with AVX-512 compute at once; fewer take as long.
_AT_ONCE = 16


class InferenceNet(nn.Module):
    """Frozen copy of a `FaceBoxesNet`: input and output are those of its evaluation mode.

    - Batch normalization is folded into the convolutions.
    - The first convolution has 24 filters, which take the time of 32: the rest of them computes
      −x of the first 8. −x of the others is a convolution of 1x1 pixels, which costs a tenth of as
      many filters of 7x7, and other ways to negate and join more than that. (At the second
      convolution it is the other way round.)
    - Each layer's two heads are one convolution, whose channels come anchor by anchor: four offsets
      and the difference of the two logits, of which alone their softmax depends.
    """

    def __init__(self, network: FaceBoxesNet) -> None:
        super().__init__()
        folded = fold_batch_norm(network)
        self.conv1 = _filled_up(folded.conv1.conv)
        self.negative = _negative_of(self.conv1, folded.conv1.conv.out_channels)
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
        x = self.conv1(image)
        halves = relu(_pool(x)), _pool(relu(self.negative(x)))
        x = self.conv2(torch.cat(halves, dim=1))
        rows = []
        for layer, head in zip(self.layers, self.heads, strict=True):
            x = layer(x)
            rows.append(anchor_rows(head(x), 5))
        loc, logit = torch.cat(rows, dim=1).split((4, 1), dim=2)
        return loc, torch.cat((-logit, logit), dim=2).sigmoid()


def _pool(x: Tensor) -> Tensor:
    return max_pool2d(x, 3, stride=2, padding=1)


def fold_batch_norm(network: FaceBoxesNet) -> FaceBoxesNet:
    """Return a copy in evaluation mode whose convolutions contain their batch normalization."""
    folded = copy.deepcopy(network).eval()
    for unit in folded.modules():
        if isinstance(unit, ConvUnit):
            unit.conv = fuse_conv_bn_eval(unit.conv, unit.bn)
            unit.register_module("bn", nn.Identity())
    return folded


def _filled_up(conv: nn.Conv2d) -> nn.Conv2d:
    """Return a convolution with as many more channels as cost nothing: −x of the first ones."""
    weight, bias = conv.weight, conv.bias
    assert bias is not None  # folding made one
    more = -len(weight) % _AT_ONCE
    return _convolution(conv, torch.cat((weight, -weight[:more])), torch.cat((bias, -bias[:more])))


def _negative_of(conv: nn.Conv2d, count: int) -> nn.Conv2d:
    """Return −x of those among the first `count` channels that `_filled_up` has not negated."""
    done = conv.out_channels - count
    weight = torch.zeros(count - done, conv.out_channels, 1, 1)
    weight[range(count - done), range(done, count)] = -1
    negative = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False)
    negative.load_state_dict({"weight": weight})
    return negative


def _joined_head(loc: nn.Module, conf: nn.Module) -> nn.Conv2d:
    """Return one convolution with the channels loc 0–3 and conf 1 − conf 0 for each anchor."""
    assert isinstance(loc, nn.Conv2d) and isinstance(conf, nn.Conv2d)
    assert loc.bias is not None and conf.bias is not None
    weight, bias = (
        torch.cat((a.unflatten(0, (-1, 4)), b.unflatten(0, (-1, 2)).diff(dim=1)), dim=1).flatten(
            0, 1
        )
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
