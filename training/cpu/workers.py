"""Gradients of a batch from several threads, each of which takes a chunk both ways.

::

    batch --> chunk 0 -- features, loss, gradients --+
          --> chunk 1 -- features, loss, gradients --+--> mean, in the chunks' order

A thread that keeps to one core and to a chunk of its own waits for nobody between layers. Batch
normalization averages over a chunk. What comes out does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from tddfa.backbones.mobilenet import MobileNet
from training.cpu.fused import Workspace, fused_features, update_statistics
from training.cpu.separable import LANES
from training.regressor.network import TrainingNet
from training.regressor.objective import Main, Objective

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """A pool of threads, each of which computes on one core.

    Parameters
    ----------
    threads : int
    """

    def __init__(self, threads: int) -> None:
        # PyTorch's own threads would be torn between the workers.
        torch.set_num_threads(1)
        self._pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

    def map(self, function: Callable[..., Result], *items: Iterable[Item]) -> list[Result]:
        """Return the function's results in the items' order."""
        return list(self._pool.map(function, *items))


def can_fuse(network: TrainingNet) -> bool:
    """Tell whether the loops of `separable` fit the network: a MobileNet of the right width."""
    regressor = network.regressor
    return isinstance(regressor, MobileNet) and regressor.conv1.out_channels % LANES == 0


class ChunkedGradients:
    """Compute loss and gradients of batches.

    Parameters
    ----------
    network : TrainingNet
    objective : Objective
    workers : Workers
    chunk : int
        Pictures that a thread takes at a time.
    dtype : torch.dtype
        Of activations: float32 or bfloat16.
    """

    def __init__(
        self,
        network: TrainingNet,
        objective: Objective,
        workers: Workers,
        chunk: int,
        dtype: torch.dtype,
    ) -> None:
        assert isinstance(network.regressor, MobileNet)  # see `can_fuse`
        self._mobilenet = network.regressor
        self.network, self.objective, self.workers = network, objective, workers
        self.chunk, self.dtype = chunk, dtype
        self.parameters = list(network.parameters())
        self._workspaces: list[Workspace] = []

    def __call__(self, images: Tensor, truth: Tensor, main: Main | None) -> dict[str, Tensor]:
        """Set the parameters' gradients; return the parts of the loss."""
        chunks = list(zip(images.split(self.chunk), truth.split(self.chunk), strict=True))
        while len(self._workspaces) < len(chunks):
            self._workspaces.append(Workspace())
        spaces = self._workspaces[: len(chunks)]
        found = self.workers.map(lambda c, s: self._gradients(c[0], c[1], main, s), chunks, spaces)
        shares = [len(part) / len(images) for part, _ in chunks]
        for space in spaces:
            update_statistics(space)
        total = torch._foreach_mul(found[0][0], shares[0])
        for share, (gradients, _) in zip(shares[1:], found[1:], strict=True):
            torch._foreach_add_(total, gradients, alpha=share)
        for parameter, gradient in zip(self.parameters, total, strict=True):
            parameter.grad = gradient
        logs = [log for _, log in found]
        return {
            name: torch.stack([s * log[name] for s, log in zip(shares, logs, strict=True)]).sum()
            for name in logs[0]
        }

    def _gradients(
        self, images: Tensor, truth: Tensor, main: Main | None, workspace: Workspace
    ) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        features = fused_features(self._mobilenet, images, self.dtype, workspace)
        loss = self.objective(self.network.heads(features), truth, main)
        gradients = torch.autograd.grad(loss.total, self.parameters)
        return gradients, {"loss": loss.total.detach(), **loss.parts}
