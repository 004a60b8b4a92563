"""Training of the head: minutes at most, for the features are there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from tddfa.arkit52 import NAMES
from tddfa.blendshape_head import BlendshapeHead
from training.blendshapes.features import Features

# What neither teacher sees: in rendered heads, found and true coefficients have nothing to do with
# each other, and the photos with the largest labels show beards and wrinkles. They stay at 0.
UNSEEN = ("cheekPuff", "jawForward", "noseSneerLeft", "noseSneerRight", "tongueOut")
_LEAST_DEVIATION = 0.05
_NEVER = -12.0  # logit of what no face ever does


@dataclass(frozen=True)
class HeadSettings:
    """How the head is trained.

    Attributes
    ----------
    hidden : int
        Its width.
    epochs, batch_size, seed : int
    rate, decay, dropout : float
        Of AdamW; the share of features left out.
    rendered : float
        Share of rendered heads in what is drawn.
    expressive : float
        How much more often a face is drawn for each coefficient's worth of movement beyond the
        usual.
    absolute : float
        Weight of absolute errors beside squared ones: a face at rest is at 0, not near it.
    """

    hidden: int = 96
    epochs: int = 14
    batch_size: int = 128
    seed: int = 0
    rate: float = 2e-3
    decay: float = 0.03
    dropout: float = 0.1
    rendered: float = 0.1
    expressive: float = 0.05
    absolute: float = 0.4


def train_head(features: Features, settings: HeadSettings) -> BlendshapeHead:
    """Return a head trained on features; they are normalized by its own first layer.

    Squared and absolute errors count in units of each coefficient's deviation, so that small ones
    are learned. A coefficient that is 0 in all faces stays at 0, and so do those of `UNSEEN`.
    """
    torch.manual_seed(settings.seed)
    x, y = torch.from_numpy(features.values), torch.from_numpy(features.coefficients)
    mean, deviation = x.mean(dim=0), x.std(dim=0) + 1e-2
    x = (x - mean) / deviation
    spread = y.std(dim=0, correction=0)
    weight = 1 / (spread + _LEAST_DEVIATION)
    head = BlendshapeHead(x.shape[1], settings.hidden)
    nn.init.constant_(head.fc_shapes.bias, -2.0)
    draw = _weights(features, settings)
    generator = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.AdamW(head.parameters(), lr=settings.rate, weight_decay=settings.decay)
    steps = max(1, settings.epochs * len(x) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.rate, total_steps=steps, pct_start=0.2
    )
    drop = nn.Dropout(settings.dropout)
    order = torch.multinomial(draw, steps * settings.batch_size, True, generator=generator)
    for rows in tqdm(order.split(settings.batch_size), desc="head", unit="step", mininterval=5):
        error = head(drop(x[rows])) - y[rows]
        loss = (weight * (error.square() + settings.absolute * error.abs())).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        head.fc_hidden.bias.sub_(head.fc_hidden.weight @ (mean / deviation))
        head.fc_hidden.weight /= deviation
        never = (y.amax(dim=0) == 0).nonzero().flatten().tolist()
        for k in {*never, *map(NAMES.index, UNSEEN)}:
            head.fc_shapes.weight[k] = 0
            head.fc_shapes.bias[k] = _NEVER
    return head.eval()


def _weights(features: Features, settings: HeadSettings) -> torch.Tensor:
    """Return how often each view is drawn."""
    moved = features.coefficients - np.median(features.coefficients, axis=0)
    weight = 1 + settings.expressive * np.maximum(moved, 0).sum(axis=1)
    exact = features.exact
    if exact.any() and not exact.all():
        for part, share in ((exact, settings.rendered), (~exact, 1 - settings.rendered)):
            weight[part] *= share / weight[part].sum()
    return torch.from_numpy(weight.astype(np.float64))
