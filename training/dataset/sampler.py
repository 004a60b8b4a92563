"""Batches that depend on the seed and the step alone, so that a run can be resumed or replayed."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch

from tddfa.errors import InputError
from training.dataset.batch import Crops
from training.dataset.packed import PackedFaces


class BatchSampler:
    """Draw crops from several packed data sets.

    Parameters
    ----------
    sources : sequence of PackedFaces
    shares : sequence of float
        How much of each batch comes from each source; scaled to a sum of 1.
    batch_size : int
    seed : int
    weights : sequence of ndarray, optional
        For each source, how often each of its crops is drawn in relation to others.

    Raises
    ------
    InputError
        If a source with a share has no crop to train on.
    """

    def __init__(
        self,
        sources: Sequence[PackedFaces],
        shares: Sequence[float],
        batch_size: int,
        seed: int,
        weights: Sequence[npt.NDArray[np.floating]] | None = None,
    ) -> None:
        self.sources = list(sources)
        self.rows = [np.flatnonzero(~source.held_out & source.usable) for source in self.sources]
        given = weights or [np.ones(len(source)) for source in self.sources]
        self._cumulative = [
            np.cumsum(weight[rows]) for weight, rows in zip(given, self.rows, strict=True)
        ]
        self.shares = np.asarray(shares, np.float64) / np.sum(shares)
        self.batch_size = batch_size
        self.seed = seed
        if any(
            share > 0 and not len(rows) for share, rows in zip(self.shares, self.rows, strict=True)
        ):
            raise InputError("data: expected crops to train on in each folder")

    def batch(self, step: int) -> Crops:
        """Return the crops of a step."""
        generator = np.random.default_rng((self.seed, step))
        counts = generator.multinomial(self.batch_size, self.shares)
        parts = []
        for source, rows, sums, count in zip(
            self.sources, self.rows, self._cumulative, counts, strict=True
        ):
            if count:
                places = np.searchsorted(sums, generator.uniform(0, sums[-1], count))
                # Sorted rows are read faster from disk.
                parts.append(source.crops(rows[np.sort(np.minimum(places, len(rows) - 1))]))
        return concatenate(parts)

    def batches(self, first: int, end: int) -> Iterator[Crops]:
        """Yield the batches of steps first..end-1, each read while the one before is used."""
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(self.batch, first)
            for step in range(first, end):
                crops = ahead.result()
                if step + 1 < end:
                    ahead = pool.submit(self.batch, step + 1)
                yield crops


def concatenate(parts: Sequence[Crops]) -> Crops:
    """Join batches."""
    return Crops(**{name: torch.cat([getattr(p, name) for p in parts]) for name in vars(parts[0])})


def held_out(sources: Sequence[PackedFaces], limit: int) -> Crops:
    """Return up to `limit` held-out crops, evenly spread over the sources."""
    each = max(1, limit // len(sources))
    parts = []
    for source in sources:
        rows = np.flatnonzero(source.held_out & source.usable)
        if len(rows):
            parts.append(source.crops(rows[:: max(1, len(rows) // each)][:each]))
    if not parts:
        raise InputError("data: expected held-out crops; there are too few crops")
    return concatenate(parts)
