"""The networks under the reference's names (PyTorch)."""

from models.mobilenet_v1 import (
    DepthWiseBlock,
    MobileNet,
    mobilenet,
    mobilenet_025,
    mobilenet_05,
    mobilenet_075,
    mobilenet_1,
    mobilenet_2,
)
from models.resnet import BasicBlock, ResNet, resnet22

__all__ = [
    "BasicBlock",
    "DepthWiseBlock",
    "MobileNet",
    "ResNet",
    "mobilenet",
    "mobilenet_025",
    "mobilenet_05",
    "mobilenet_075",
    "mobilenet_1",
    "mobilenet_2",
    "resnet22",
]
