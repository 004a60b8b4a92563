"""Muon: the momentum of a matrix, orthogonalized; everything else by AdamW.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; scaled to AdamW's
usual step as in Liu et al., "Muon is Scalable for LLM Training", 2025, so that one learning rate
suits both. ``torch.optim.Muon`` takes matrices alone, one after the other, and iterates in
bfloat16, which processors without AVX-512 compute in software; the kernels of pointwise
convolutions are matrices of another shape, and a 1024x1024 one takes a core 0.3 s in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

# Coefficients of the quintic iteration, and how often it is applied.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ROUNDS = 5
# The root mean square of AdamW's step at a learning rate of 1.
_ADAMW_STEP = 0.2
MapFunction = Callable[[Callable[[Tensor], Tensor], Iterable[Tensor]], Iterable[Tensor]]


def is_matrix(parameter: Tensor) -> bool:
    """Tell whether a parameter is a matrix, or the kernel of a pointwise convolution."""
    many = parameter.ndim >= 2 and min(parameter.shape[:2]) > 1
    return many and parameter[0, 0].numel() == 1


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return a matrix (m, n) of the same singular vectors, with singular values around 1.

    Newton-Schulz iteration, in the matrix's own precision.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    value = matrix.T if tall else matrix
    value = value / value.norm().clamp_min(1e-7)
    for _ in range(_ROUNDS):
        gram = value @ value.T
        value = torch.addmm(value, torch.addmm(gram, gram, gram, beta=_B, alpha=_C), value, beta=_A)
    return value.T if tall else value


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov's momentum and decoupled weight decay, for matrices (see `is_matrix`).

    Parameters
    ----------
    parameters : iterable of Parameter
    lr : float
        As for AdamW.
    momentum, weight_decay : float
    dtype : torch.dtype
        That the matrices are made orthogonal in: bfloat16 takes half the time on processors
        that compute it.
    mapping : callable
        ``map``, or that of a pool of threads.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float = 1e-3,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.float32,
        mapping: MapFunction = map,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._dtype, self._mapping = dtype, mapping

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            # The largest first, lest one thread be left alone with it.
            moved.sort(key=lambda p: -p.numel())
            aims = [self._aim(p, group["momentum"]) for p in moved]
            for parameter, update in zip(moved, self._mapping(orthogonalized, aims), strict=True):
                step = group["lr"] * _ADAMW_STEP * max(update.shape) ** 0.5
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.sub_(update.view_as(parameter), alpha=step)
        return loss

    def _aim(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """Take the gradient into the momentum; return where Nesterov's step goes."""
        assert parameter.grad is not None
        state, gradient = self.state[parameter], parameter.grad.flatten(1)
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(gradient)
        mean = state["momentum"].lerp_(gradient, 1 - momentum)
        aim = gradient.lerp(mean, momentum)
        # To a norm of 1 before it is rounded, for a gradient may be too small for bfloat16.
        return (aim / aim.norm().clamp_min(1e-7)).to(self._dtype)


class Together:
    """Several optimizers as one.

    Attributes
    ----------
    param_groups : list of dict
        Of all of them: a learning rate set there counts.
    """

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self.optimizers = optimizers

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Return the groups of all of them."""
        return [group for each in self.optimizers for group in each.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for each in self.optimizers:
            each.zero_grad(set_to_none=set_to_none)

    def step(self) -> None:
        """Make one step of each."""
        for each in self.optimizers:
            each.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the states of all of them."""
        return {str(i): each.state_dict() for i, each in enumerate(self.optimizers)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` returned."""
        for i, each in enumerate(self.optimizers):
            each.load_state_dict(state[str(i)])
