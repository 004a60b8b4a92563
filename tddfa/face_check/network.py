"""The face check's network in PyTorch.

A second, tiny network behind a detector, in the manner of the cascades of Zhang et al., "Joint Face
Detection and Alignment using Multi-task Cascaded Convolutional Networks", 2016, and Shi et al.,
"Real-Time Rotation-Invariant Face Detection with Progressive Calibration Networks", CVPR 2018, from
separable convolutions as in Howard et al., "MobileNets", 2017.

::

    120x120 -mean 2x2-> 60 -conv-> 30 -blocks-> 15, 8, 4 -whole-> face, roll, square
"""

from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, relu

from tddfa.checkpoints import load_state_dict
from tddfa.errors import InputError
from tddfa.face_check.looks import OUTPUTS

# Channels and stride of each separable block.
_BLOCKS = ((32, 2), (32, 1), (64, 2), (64, 1), (64, 1), (128, 2), (128, 1))
_STEM = 16


class Separable(nn.Module):
    """Depthwise 3x3 and pointwise convolution, with a way past both where sizes allow it."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            channels_in, channels_in, 3, stride, padding=1, groups=channels_in, bias=False
        )
        self.depthwise_norm = nn.BatchNorm2d(channels_in)
        self.pointwise = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.pointwise_norm = nn.BatchNorm2d(channels_out)
        self.residual = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated response."""
        y = relu(self.depthwise_norm(self.depthwise(x)))
        y = self.pointwise_norm(self.pointwise(y))
        return relu(x + y) if self.residual else relu(y)


class FaceCheckNet(nn.Module):
    """Inputs of the aligner (n, 3, 120, 120) to six numbers each, see `tddfa.face_check.looks`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _STEM, 3, stride=2, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(_STEM)
        blocks, channels = [], _STEM
        for out, stride in _BLOCKS:
            blocks.append(Separable(channels, out, stride))
            channels = out
        self.blocks = nn.Sequential(*blocks)
        # Each place of the last 4x4 has weights of its own: where the eyes are tells the roll.
        self.whole = nn.Conv2d(channels, channels, 4, groups=channels)
        self.answer = nn.Conv2d(channels, OUTPUTS, 1)

    def forward(self, crops: Tensor) -> Tensor:
        """Return the answers (n, 6)."""
        return self.answers(avg_pool2d(crops, 2))

    def answers(self, small: Tensor) -> Tensor:
        """Return the answers (n, 6) on crops (n, 3, 60, 60)."""
        x = self.blocks(relu(self.stem_norm(self.stem(small))))
        return self.answer(relu(self.whole(x)))[:, :, 0, 0]


def load_network(path: str | Path) -> FaceCheckNet:
    """Read a checkpoint and return the network in evaluation mode.

    Raises
    ------
    InputError
        If the file cannot be read or holds weights of another network.
    """
    state, network = load_state_dict(path), FaceCheckNet()
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"'{path}': expected the weights of a face check") from error
    return network.eval()
