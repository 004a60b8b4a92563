"""Put the losses together as the command line asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from tddfa.morphable_model import MorphableModel
from tddfa.params import ParameterScale
from training.regressor import losses
from training.regressor.basis import compressed_basis, landmark_basis, vertex_basis
from training.regressor.network import Outputs

Main = Literal["distance", "vdc", "fwpdc", "joint", "meta-joint"]
MAINS: tuple[Main, ...] = ("distance", "vdc", "fwpdc", "joint", "meta-joint")
N_RANDOM_VERTICES = 300
# What brings each loss to about one at the start of training.
DISTANCE_SCALE, VDC_SCALE = 0.1, 0.01


@dataclass(frozen=True)
class ObjectiveSettings:
    """Which losses count, and how much.

    Attributes
    ----------
    main : str
        ``distance`` (robust vertex distance, our default), ``vdc``, ``fwpdc``, ``joint`` (both,
        balanced) or ``meta-joint`` (the better of both after `look_ahead` steps).
    parameters : float
        Weight of the smooth L1 distance of parameters, beside ``distance`` alone.
    openings : float
        Weight of the errors across lids and lips.
    landmark_head : {'off', 'fixed', 'balanced'}
        Landmark-regression regularization with a fixed ratio, or with the paper's.
    landmark_ratio : float
        The fixed ratio.
    blendshapes : float
        Weight of the distance of blendshapes, where crops have labels (``--blendshapes``).
    look_ahead : int
        Steps k of meta-joint optimization.
    """

    main: Main = "distance"
    parameters: float = 0.1
    openings: float = 0.3
    landmark_head: Literal["off", "fixed", "balanced"] = "off"
    landmark_ratio: float = 0.2
    blendshapes: float = 1.0
    look_ahead: int = 100


@dataclass(frozen=True)
class Loss:
    """A batch's loss and its parts, for the log."""

    total: Tensor
    parts: dict[str, Tensor]


class Objective:
    """Compute the loss of a batch.

    Parameters
    ----------
    model : MorphableModel
    scale : ParameterScale
    settings : ObjectiveSettings
    device : torch.device or str
    spread : Tensor, shape (52,), optional
        Deviations of the blendshapes' labels.
    """

    def __init__(
        self,
        model: MorphableModel,
        scale: ParameterScale,
        settings: ObjectiveSettings,
        device: torch.device | str = "cpu",
        spread: Tensor | None = None,
    ) -> None:
        self.settings = settings
        self.spread = None if spread is None else spread.to(device)
        self.mean = torch.from_numpy(scale.mean).to(device)
        self.std = torch.from_numpy(scale.std).to(device)
        self.mesh = compressed_basis(model).to(device)
        self.landmarks = landmark_basis(model).to(device)
        rows = torch.randperm(model.n_vertices, generator=torch.Generator().manual_seed(0))
        self.vertices = vertex_basis(model, rows[:N_RANDOM_VERTICES].numpy()).to(device)

    def __call__(self, found: Outputs, truth: Tensor, main: Main | None = None) -> Loss:
        """Return the loss of what the heads say.

        Parameters
        ----------
        found : Outputs
        truth : Tensor, shape (n, 62) or (n, 62 + 52)
            De-normalized parameters, blendshapes behind them.
        main : str, optional
            In place of the settings', for a branch of meta-joint optimization.
        """
        settings, output = self.settings, found.params
        truth, shapes = self._split(truth)
        target = (truth - self.mean) / self.std
        params = output * self.std + self.mean
        main = main or settings.main
        total = self._main(main, output, target, params, truth)
        parts: dict[str, Tensor] = {main: total.detach()}
        if main == "distance" and settings.parameters:
            extra = losses.parameter_distance(output, target)
            total = total + settings.parameters * extra
            parts["parameters"] = extra.detach()
        if settings.openings:
            extra = losses.openings(params, truth, self.landmarks)
            total = total + settings.openings * extra
            parts["openings"] = extra.detach()
        if found.points is not None and settings.landmark_head != "off":
            extra = losses.landmark_regression(found.points, truth, self.landmarks)
            if settings.landmark_head == "balanced":
                total = losses.balanced(total, extra)
            else:
                total = total + settings.landmark_ratio * extra
            parts["landmarks"] = extra.detach()
        if found.blendshapes is not None and self.spread is not None:
            extra = losses.blendshape_distance(found.blendshapes, shapes, self.spread)
            total = total + settings.blendshapes * extra
            parts["blendshapes"] = extra.detach()
        return Loss(total, parts)

    def _split(self, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Return parameters and blendshapes, which travel in one tensor as a batch is divided."""
        return truth[:, : len(self.mean)], truth[:, len(self.mean) :]

    def _main(
        self, main: Main, output: Tensor, target: Tensor, params: Tensor, truth: Tensor
    ) -> Tensor:
        if main == "distance":
            points = losses.distance(params, truth, self.landmarks)
            rest = losses.distance(params, truth, self.vertices)
            return DISTANCE_SCALE * (0.6 * points + 0.4 * rest)
        if main == "vdc":
            return VDC_SCALE * losses.vdc(params, truth, self.mesh)
        weighted = losses.fwpdc(output, target, params, truth, self.mesh)
        if main == "fwpdc":
            return weighted
        if main == "joint":
            return losses.balanced(weighted, losses.vdc(params, truth, self.mesh))
        raise ValueError(f"meta-joint is made of branches, got {main!r} as one")

    @torch.no_grad()
    def errors(self, output: Tensor, truth: Tensor) -> dict[str, float]:
        """Return VDC in square pixels, NME of the 68 points in percent, mean opening error."""
        truth, _ = self._split(truth)
        params = output * self.std + self.mean
        found = self.landmarks.vertices(params)[:, :, :2]
        true = self.landmarks.vertices(truth)[:, :, :2]
        size = (true.amax(dim=1) - true.amin(dim=1)).prod(dim=1).sqrt()
        nme = 100 * (found - true).norm(dim=2).mean(dim=1) / size
        return {
            "vdc": losses.vdc(params, truth, self.mesh).item(),
            "nme": nme.mean().item(),
            "openings": losses.openings(params, truth, self.landmarks).item(),
        }
