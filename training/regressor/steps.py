"""Steps of training, and the state that they can be resumed from."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.memory_layout import channels_last
from training.augmentation.augment import Augmenter
from training.cpu.workers import ChunkedGradients, Workers, can_fuse
from training.regressor.muon import Muon, Together, is_matrix
from training.regressor.network import MovingAverage, TrainingNet
from training.regressor.objective import Main, Objective

Inputs = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class OptimizerSettings:
    """How weights move.

    Attributes
    ----------
    name : {'adamw', 'muon', 'sgd'}
        ``muon`` moves matrices by Muon and the rest by AdamW, see `training.regressor.muon`.
    learning_rate : float
        The peak.
    final : float
        Share of the peak at the end.
    cooldown : float
        Share of the steps in which the rate falls, by a cosine; it is constant before, so that a
        run can be made longer until then by a larger ``--samples``.
    warm_up : int
        Steps of linear rise.
    momentum : float
        SGD's momentum, or AdamW's first decay; Muon's momentum is `matrix_momentum`.
    matrix_momentum : float
    second : float
        AdamW's second decay.
    weight_decay : float
        On weights, not on biases and normalization.
    clip : float
        Largest norm of the gradient; 0 for none.
    average : float
        Decay of the weights' moving average.
    """

    name: str = "adamw"
    learning_rate: float = 2e-3
    final: float = 0.003
    cooldown: float = 1.0
    warm_up: int = 150
    momentum: float = 0.9
    matrix_momentum: float = 0.95
    second: float = 0.99
    weight_decay: float = 0.02
    clip: float = 2.0
    average: float = 0.998


class Trainer:
    """Network, optimizer and average that move together.

    Parameters
    ----------
    network : TrainingNet
    objective : Objective
    augmenter : Augmenter
    settings : OptimizerSettings
    total_steps : int
        Length of the schedule.
    amp : bool
        Keep activations as bfloat16 (pays on GPUs and on CPUs with AVX-512 or AMX).
    workers : Workers, optional
        Threads to compute on; without them PyTorch computes layer by layer.
    chunk : int
        Pictures that a worker takes at a time.
    """

    def __init__(
        self,
        network: TrainingNet,
        objective: Objective,
        augmenter: Augmenter,
        settings: OptimizerSettings,
        total_steps: int,
        amp: bool = False,
        workers: Workers | None = None,
        chunk: int = 64,
    ) -> None:
        self.device = augmenter.device
        self.network = channels_last(network.to(self.device))
        self.objective = objective
        self.augmenter = augmenter
        self.settings = settings
        self.total_steps = total_steps
        self.amp = amp
        self.average = MovingAverage(self.network, settings.average)
        self.optimizer = make_optimizer(self.network, settings, amp, workers)
        self.step_count = 0
        self._chunked: ChunkedGradients | None = None
        if workers and can_fuse(self.network):
            dtype = torch.bfloat16 if amp else torch.float32
            self._chunked = ChunkedGradients(self.network, objective, workers, chunk, dtype)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step: linear warm-up, constant, then a cosine."""
        s = self.settings
        rise = min(1.0, (step + 1) / max(1, s.warm_up))
        left = max(0.0, 1 - step / max(1, self.total_steps))
        share = max(0.0, 1 - left / max(1e-9, s.cooldown))
        fall = s.final + (1 - s.final) * 0.5 * (1 + math.cos(math.pi * share))
        return s.learning_rate * rise * fall

    def step(self, batch: Inputs, main: Main | None = None) -> dict[str, Tensor]:
        """Make one step; return the parts of the loss and the gradient's norm.

        They are tensors, so that a GPU need not be waited for.
        """
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(self.step_count)
        compute = self._chunked or self._gradients
        parts = compute(*batch, main)
        limit = self.settings.clip or math.inf
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), limit)
        self.optimizer.step()
        self.step_count += 1
        self.average.update(self.network, self.step_count)
        return {**parts, "gradient": norm}

    def _gradients(self, images: Tensor, truth: Tensor, main: Main | None) -> dict[str, Tensor]:
        """Set the parameters' gradients; return the parts of the loss."""
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
            found = self.network(images)
        loss = self.objective(found.float(), truth, main)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        return {"loss": loss.total.detach(), **loss.parts}

    @torch.no_grad()
    def validate(
        self, batch: Inputs, *, average: bool = True, chunk: int = 128
    ) -> dict[str, float]:
        """Return the errors of the averaged (or the current) network on a batch."""
        network = (self.average.network if average else self.network).eval()
        images = batch[0].contiguous(memory_format=torch.channels_last)
        output = torch.cat([network(part).params for part in images.split(chunk)])
        return self.objective.errors(output.float(), batch[1])

    def state(self) -> dict[str, Any]:
        """Return everything a later step depends on, as a copy."""
        return copy.deepcopy(
            {
                "network": self.network.state_dict(),
                "average": self.average.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step_count,
                "total_steps": self.total_steps,
            }
        )

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self.step_count = state["step"]

    def save(self, path: Path) -> None:
        """Write the state whole or not at all."""
        with replacing(path) as temporary:
            torch.save(self.state(), temporary)

    def resume(self, path: Path) -> None:
        """Read a state of the same network and schedule.

        Raises
        ------
        InputError
            If the file is no such state.
        """
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.load_state(state)
        except Exception as error:  # torch documents no closed set of errors
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"'{path}': expected the state of this run, {reason}") from error


def make_optimizer(
    network: nn.Module,
    settings: OptimizerSettings,
    amp: bool = False,
    workers: Workers | None = None,
) -> torch.optim.Optimizer | Together:
    """Return the optimizer that settings ask for.

    With `amp` Muon's matrices are made orthogonal in bfloat16, with `workers` several at a time.

    Raises
    ------
    InputError
        If there is no such optimizer.
    """
    parameters, rate = list(network.parameters()), settings.learning_rate
    betas = (settings.momentum, settings.second)
    if settings.name == "sgd":
        return torch.optim.SGD(_groups(parameters, settings), lr=rate, momentum=settings.momentum)
    if settings.name == "adamw":
        return torch.optim.AdamW(_groups(parameters, settings), lr=rate, betas=betas, fused=True)
    if settings.name == "muon":
        inner = _inner_matrices(network)
        chosen = {id(p) for p in inner}
        others = _groups([p for p in parameters if id(p) not in chosen], settings)
        muon = Muon(
            inner, rate, settings.matrix_momentum, settings.weight_decay,
            dtype=torch.bfloat16 if amp else torch.float32,
            mapping=workers.map if workers else map,
        )  # fmt: skip
        return Together(torch.optim.AdamW(others, lr=rate, betas=betas, fused=True), muon)
    raise InputError(f"optimizer: expected adamw, muon or sgd, got {settings.name!r}")


def _inner_matrices(network: nn.Module) -> list[nn.Parameter]:
    """Return the matrices of all layers but linear ones: a regressor's are its heads."""
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    heads = {id(p) for layer in linear for p in layer.parameters()}
    return [p for p in network.parameters() if is_matrix(p) and id(p) not in heads]


def _groups(parameters: list[nn.Parameter], settings: OptimizerSettings) -> list[dict[str, Any]]:
    """Return parameters by whether their weights decay."""
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
