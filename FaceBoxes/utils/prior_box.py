"""Prior boxes under the reference's name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from FaceBoxes.prior_box import AnchorLayer, layer_priors
from FaceBoxes.utils import config
from tddfa.errors import InputError

# How often anchors of a size stand in a cell, along each axis; others once, in its middle.
_DENSITIES = {32: 4, 64: 2}


class PriorBox:
    """The anchors for a picture of a given size.

    Parameters
    ----------
    cfg : mapping, optional
        ``min_sizes``, ``steps`` and ``clip``; by default `FaceBoxes.utils.config.cfg`.
    image_size : (int, int)
        Height and width of the network's input in pixels.
    phase : str
        Not looked at; the reference has it.
    """

    def __init__(
        self,
        cfg: Mapping[str, Any] | None = None,
        image_size: Sequence[int] | None = None,
        phase: str = "train",
    ) -> None:
        if image_size is None:
            raise InputError("image_size: expected height and width of the picture")
        cfg = config.cfg if cfg is None else cfg
        self.layers = [
            AnchorLayer(step, tuple(sizes), tuple(_DENSITIES.get(size, 1) for size in sizes))
            for step, sizes in zip(cfg["steps"], cfg["min_sizes"], strict=True)
        ]
        self.clip = bool(cfg.get("clip", False))
        self.image_size = (int(image_size[0]), int(image_size[1]))

    def forward(self) -> Any:
        """Return the anchors, a tensor (P, 4) of ``cx, cy, w, h`` as fractions of the picture."""
        import torch

        priors = np.concatenate([layer_priors(layer, *self.image_size) for layer in self.layers])
        return torch.from_numpy(np.clip(priors, 0, 1) if self.clip else priors)
