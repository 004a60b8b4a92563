"""A batch of crops on its way from the packed file to the network."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

CANVAS = 168  # side of a stored crop, which reaches 24 px beyond the 120 of the network
INPUT = 120
MARGIN = (CANVAS - INPUT) / 2


@dataclass(frozen=True)
class Crops:
    """n stored crops with their labels.

    The canvas frame: x to the right and y up from the crop's lower left edge, in its pixels, so
    that a pixel's center lies at .5; z to the viewer, in the same unit.

    Attributes
    ----------
    images : Tensor, shape (n, 168, 168, 3), uint8
        BGR.
    camera : Tensor, shape (n, 3, 4)
        Map from the face model's units to the canvas frame.
    alpha : Tensor, shape (n, C)
        Shape and expression coefficients.
    depth : Tensor, shape (n, 42, 42)
        z of the face and what is around it at 42x42 places, row 0 at the top, canvas pixels.
    valid : Tensor, shape (n, 4)
        ``[left, top, right, bottom]`` of what the original picture covers, canvas pixels, y down.
    detected : Tensor, shape (n,), bool
        Whether the middle 120 px are a detector's ROI.
    blendshapes : Tensor, shape (n, 52)
        In the order of `tddfa.arkit52.NAMES`; NaN where a crop has no label.
    """

    images: Tensor
    camera: Tensor
    alpha: Tensor
    depth: Tensor
    valid: Tensor
    detected: Tensor
    blendshapes: Tensor

    def to(self, device: torch.device | str) -> Crops:
        """Return the batch on a device."""
        move = {f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)}
        return replace(self, **move)

    def repeat(self, count: int) -> Crops:
        """Return each crop `count` times in a row."""
        return replace(
            self,
            **{f.name: getattr(self, f.name).repeat_interleave(count, 0) for f in fields(self)},
        )

    def split(self, size: int) -> list[Crops]:
        """Return batches of at most `size` crops."""
        parts = zip(*(getattr(self, f.name).split(size) for f in fields(self)), strict=True)
        return [Crops(*part) for part in parts]

    def __len__(self) -> int:
        return len(self.images)
