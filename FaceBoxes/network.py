"""The FaceBoxes network in PyTorch and the reading of its weights.

Source: Zhang et al., "FaceBoxes: A CPU Real-time Face Detector with High Accuracy", IJCB 2017.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, relu

from FaceBoxes.prior_box import ANCHORS_PER_CELL
from tddfa.checkpoints import load_state_dict
from tddfa.errors import InputError


class ConvUnit(nn.Module):
    """Bias-free convolution and batch normalization; the activation is up to the caller."""

    def __init__(self, channels_in: int, channels_out: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels_in, channels_out, size, stride=stride, padding=size // 2, bias=False
        )
        self.bn = nn.BatchNorm2d(channels_out, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized response, without activation."""
        return self.bn(self.conv(x))


class ConvReLU(ConvUnit):
    """Convolution, batch normalization, ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated response."""
        return relu(super().forward(x))


class PooledCReLU(ConvUnit):
    """Convolution, batch normalization, CReLU and the 3×3, stride 2 maximum pooling behind it.

    CReLU gives ReLU of x and of −x, twice the channels (Shang et al., ICML 2016). ReLU never
    falls, so the pooling may go first: the values are the same and ReLU sees a quarter of them.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return twice `channels_out` channels at half the size."""
        x = super().forward(x)
        return relu(max_pool2d(torch.cat((x, -x), dim=1), 3, stride=2, padding=1))


class Inception(nn.Module):
    """Four branches of 32 channels each over 128 channels, for several receptive fields."""

    def __init__(self) -> None:
        super().__init__()
        self.branch1x1 = ConvReLU(128, 32, 1)
        self.branch1x1_2 = ConvReLU(128, 32, 1)
        self.branch3x3_reduce = ConvReLU(128, 24, 1)
        self.branch3x3 = ConvReLU(24, 32, 3)
        self.branch3x3_reduce_2 = ConvReLU(128, 24, 1)
        self.branch3x3_2 = ConvReLU(24, 32, 3)
        self.branch3x3_3 = ConvReLU(32, 32, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (N, 128, h, w) into (N, 128, h, w)."""
        # The padding counts in the mean, as in the trained network.
        averaged = avg_pool2d(x, 3, stride=1, padding=1)
        branches = (
            self.branch1x1(x),
            self.branch1x1_2(averaged),
            self.branch3x3(self.branch3x3_reduce(x)),
            self.branch3x3_3(self.branch3x3_2(self.branch3x3_reduce_2(x))),
        )
        return torch.cat(branches, dim=1)


class FaceBoxesNet(nn.Module):
    """Single-shot face detector with three detection layers at strides 32, 64 and 128.

    Input: float32 (N, 3, H, W), BGR minus (104, 117, 123), any height and width from 1 up.
    Output: `loc` (N, P, 4), the encoded boxes, and `conf` (N, P, 2), background and face, for the P
    anchors of `FaceBoxes.prior_box.prior_boxes`. `conf` holds logits while training, else
    probabilities.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = PooledCReLU(3, 24, 7, stride=4)
        self.conv2 = PooledCReLU(48, 64, 5, stride=2)
        self.inception1 = Inception()
        self.inception2 = Inception()
        self.inception3 = Inception()
        self.conv3_1 = ConvReLU(128, 128, 1)
        self.conv3_2 = ConvReLU(128, 256, 3, stride=2)
        self.conv4_1 = ConvReLU(256, 128, 1)
        self.conv4_2 = ConvReLU(128, 256, 3, stride=2)
        heads = tuple(zip((128, 256, 256), ANCHORS_PER_CELL, strict=True))
        self.loc = nn.ModuleList(nn.Conv2d(c, 4 * n, 3, padding=1) for c, n in heads)
        self.conf = nn.ModuleList(nn.Conv2d(c, 2 * n, 3, padding=1) for c, n in heads)

    def offsets_and_logits(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return `loc` and the logits of `conf` of a batch of pictures."""
        x = self.conv2(self.conv1(image))
        stride32 = self.inception3(self.inception2(self.inception1(x)))
        stride64 = self.conv3_2(self.conv3_1(stride32))
        stride128 = self.conv4_2(self.conv4_1(stride64))
        layers = (stride32, stride64, stride128)
        loc = torch.cat(
            [anchor_rows(f(x), 4) for f, x in zip(self.loc, layers, strict=True)], dim=1
        )
        conf = torch.cat(
            [anchor_rows(f(x), 2) for f, x in zip(self.conf, layers, strict=True)], dim=1
        )
        return loc, conf

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return `loc` and `conf` of a batch of pictures."""
        loc, logits = self.offsets_and_logits(image)
        return loc, logits if self.training else logits.softmax(dim=2)


def anchor_rows(head: Tensor, width: int) -> Tensor:
    """Turn (N, A·width, h, w) into (N, h·w·A, width), the order of the anchors."""
    return head.permute(0, 2, 3, 1).reshape(head.shape[0], -1, width)


def load_network(path: str | Path, device: str | torch.device = "cpu") -> FaceBoxesNet:
    """Read a checkpoint in the reference's format and return the network in evaluation mode.

    Parameters
    ----------
    path : str or Path
        File written by ``torch.save`` with a dict of tensors; names may start with ``module.``,
        which ``torch.nn.DataParallel`` adds. Nothing but tensors is unpickled.
    device : str or torch.device
        Where the network shall run, such as ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    InputError
        If the file cannot be read, is no checkpoint, or holds weights of another network.
    """
    state = load_state_dict(path)
    network = FaceBoxesNet()
    _check_state(Path(path), state, network.state_dict())
    network.load_state_dict(state)
    return network.eval().to(device)


def _check_state(path: Path, state: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    # The counter of training steps has no part in inference; older files lack it.
    for name, value in expected.items():
        if name.endswith("num_batches_tracked"):
            state.setdefault(name, value)
    missing = [name for name in expected if name not in state]
    unknown = [name for name in state if name not in expected]
    if missing or unknown:
        what, name = ("lacks", missing[0]) if missing else ("has the unknown", unknown[0])
        raise InputError(f"{path}: not the weights of FaceBoxes: {what} tensor {name!r}")
    for name, value in expected.items():
        if state[name].shape != value.shape:
            raise InputError(
                f"{path}: not the weights of FaceBoxes: {name!r} has the shape "
                f"{tuple(state[name].shape)}, expected {tuple(value.shape)}"
            )
