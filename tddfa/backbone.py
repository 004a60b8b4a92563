"""Build and load the regressor's network, whichever it is (PyTorch)."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from tddfa.checkpoints import holds_detector, load_state_dict
from tddfa.errors import InputError
from tddfa.plugins import load_part, part_names

_PACKAGE = "tddfa.backbones"
State = Mapping[str, torch.Tensor]


class Backbone(nn.Module, ABC):
    """A network whose last layer is linear; training puts a second one beside it.

    Attributes
    ----------
    fc_param : nn.Linear
        Features to normalized parameters; a subclass sets it.
    """

    fc_param: nn.Linear

    @property
    def arch(self) -> str:
        """Name of the module in `tddfa.backbones`."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def width(self) -> float:
        """Factor of the channel numbers."""
        sizes: tuple[float, int] = load_part(_PACKAGE, self.arch, "arch").sizes(self.state_dict())
        return sizes[0]

    @abstractmethod
    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (n, 3, size, size) to pooled features (n, fc_param.in_features)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (n, 3, size, size) to normalized parameters (n, num_params)."""
        output: torch.Tensor = self.fc_param(self.features(x))
        return output


def build_backbone(arch: str, widen_factor: float = 1.0, num_params: int = 62) -> Backbone:
    """Return a network with fresh weights, in training mode.

    Parameters
    ----------
    arch : str
        A module of `tddfa.backbones`.
    widen_factor : float
        Multiplies all channel numbers.
    num_params : int
        Length of the regressed vector.

    Raises
    ------
    InputError
        If there is no such network.
    """
    network: Backbone = load_part(_PACKAGE, arch, "arch").build(widen_factor, num_params)
    return network


def load_backbone(
    path: str | Path,
    arch: str | None = None,
    widen_factor: float | None = None,
    num_params: int | None = None,
) -> Backbone:
    """Load a regressor in evaluation mode.

    Parameters
    ----------
    path : str or Path
        Checkpoint; branches that only training needs are ignored.
    arch : str, optional
        Expected network; by default the one whose tensors these are.
    widen_factor, num_params : optional
        Expected sizes; by default read off the checkpoint.

    Raises
    ------
    InputError
        If the file is no such checkpoint, or of other sizes than expected.
    """
    # The reference calls its last layer fc in some releases and fc_param in others.
    state = {
        f"fc_param.{key.removeprefix('fc.')}" if key.startswith("fc.") else key: value
        for key, value in load_state_dict(path).items()
        if not key.startswith("fc_lm.")
    }
    known = recognize(state)
    if known is None:
        names = arch or " or ".join(part_names(_PACKAGE))
        got = ", got the detector FaceBoxes" if holds_detector(state) else ""
        raise InputError(f"'{path}': expected weights of a regressor ({names}){got}")
    name, width, length = known
    if arch not in (None, name):
        raise InputError(f"'{path}': expected arch {arch}, got weights of a {name}")
    if widen_factor not in (None, width) or num_params not in (None, length):
        raise InputError(
            f"'{path}': expected width {widen_factor} and {num_params} parameters, "
            f"got {width} and {length}"
        )
    network = build_backbone(name, width, length)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise InputError(f"'{path}': expected weights of a {name}, {reason}") from error
    return network.eval()


def recognize(state: State) -> tuple[str, float, int] | None:
    """Return name, width and number of parameters of the network whose tensors these are."""
    for name in part_names(_PACKAGE):
        sizes = load_part(_PACKAGE, name, "arch").sizes(state)
        if sizes is not None:
            return name, *sizes
    return None
