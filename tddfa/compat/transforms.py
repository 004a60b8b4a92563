"""From a crop to the network's input, as steps that can be chained (PyTorch)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class ToTensorGjz:
    """Turn a picture (H, W, C) into a float tensor (C, H, W), its numbers unchanged."""

    def __call__(self, pic: npt.NDArray[Any]) -> Any:
        """Return the tensor."""
        import torch

        return torch.from_numpy(np.ascontiguousarray(np.asarray(pic).transpose(2, 0, 1))).float()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class NormalizeGjz:
    """Subtract a mean and divide by a deviation, in place.

    Parameters
    ----------
    mean, std : float
        127.5 and 128 for the regressor's input.
    """

    def __init__(self, mean: float, std: float) -> None:
        self.mean, self.std = mean, std

    def __call__(self, tensor: Any) -> Any:
        """Return the tensor, which is changed."""
        return tensor.sub_(self.mean).div_(self.std)


class Compose:
    """Steps one after the other.

    Parameters
    ----------
    transforms : sequence of callables
        The steps.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, value: Any) -> Any:
        """Return what the last step returns."""
        for transform in self.transforms:
            value = transform(value)
        return value


def network_transform() -> Compose:
    """Return the steps from a 120x120 BGR crop, uint8, to the regressor's input (3, 120, 120)."""
    return Compose([ToTensorGjz(), NormalizeGjz(mean=127.5, std=128)])
