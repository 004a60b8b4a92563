"""Identities: sample MakeHuman's shape space, align the samples, take principal components.

Macro targets (race, sex, age, muscle, weight) are mixed as MakeHuman mixes them; local targets get
a standard deviation in millimeters by the part of the face, because equal coefficients gave
caricatures. All samples are linear in the targets: samples = coefficients @ targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigh

from training.face_model.makehuman import load_target

RACES, SEXES = ("african", "asian", "caucasian"), ("female", "male")
AGES = ("baby", "child", "young", "old")
MUSCLE = ("minmuscle", "averagemuscle", "maxmuscle")
WEIGHT = ("minweight", "averageweight", "maxweight")
OPPOSITES = (
    ("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward"),
    ("concave", "convex"), ("compress", "uncompress"),
)  # fmt: skip
# Standard deviation of the largest displacement, in dm.
SPREAD = {
    "head": 0.020, "forehead": 0.020, "neck": 0.020, "chin": 0.018, "ears": 0.015,
    "cheek": 0.014, "eyebrows": 0.013, "nose": 0.012, "mouth": 0.011, "eyes": 0.009,
}  # fmt: skip
HEADS = tuple(
    f"head-{k}"
    for k in ("diamond", "invertedtriangular", "oval", "rectangular", "round", "square",
              "triangular")
)  # fmt: skip
FIXED_SIGMA = {"mouth-laugh-lines": 0.2, "mouth-dimples": 0.2, "chin-cleft": 0.2}
SKIP = ("head-trans", "head-back", "mouth-trans-in")


@dataclass(frozen=True)
class Modifier:
    """One slider: rows of the target matrix for its negative (or -1) and positive side."""

    sides: tuple[tuple[int, int], ...]
    sigma: float
    name: str


class IdentitySpace:
    """MakeHuman's targets as a matrix, and a sampler of coefficients over its rows."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "mpfb2/targets"
        self._rows: list[np.ndarray] = []
        self.index: dict[str, int] = {}
        for r in RACES:
            for g in SEXES:
                for a in AGES:
                    self._add(f"macrodetails/{r}-{g}-{a}")
        for g in SEXES:
            for a in AGES:
                for m in MUSCLE:
                    for w in WEIGHT:
                        self._add(f"macrodetails/universal-{g}-{a}-{m}-{w}")
        self.modifiers = self._local_modifiers()
        self.asymmetry = self._asymmetry()
        self.targets = np.stack(self._rows).reshape(len(self._rows), -1)

    def _add(self, name: str) -> int:
        if name not in self.index:
            self.index[name] = len(self._rows)
            target = load_target(self._folder / f"{name}.target.gz")
            self._rows.append(target.astype(np.float32))
        return self.index[name]

    def _local_modifiers(self) -> list[Modifier]:
        groups: dict[str, list[tuple[int, int]]] = {}
        folder_of: dict[str, str] = {}
        for folder in SPREAD:
            stems = sorted(
                f.name[: -len(".target.gz")] for f in (self._folder / folder).glob("*.target.gz")
            )
            for stem in stems:
                if stem.startswith(SKIP) or (folder == "neck" and "double" not in stem):
                    continue
                base, negative = stem, -1
                for low, high in OPPOSITES:
                    if stem.endswith(f"-{low}") and stem[: -len(low)] + high in stems:
                        base = ""
                    elif stem.endswith(f"-{high}") and stem[: -len(high)] + low in stems:
                        base = stem[: -len(high) - 1]
                        negative = self._add(f"{folder}/{stem[: -len(high)]}{low}")
                if not base:
                    continue
                positive = self._add(f"{folder}/{stem}")
                name = base[2:] if base[:2] in ("l-", "r-") else base
                groups.setdefault(name, []).append((negative, positive))
                folder_of[name] = folder
        out = []
        for name, sides in groups.items():
            largest = np.linalg.norm(self._rows[sides[0][1]], axis=1).max()
            sigma = FIXED_SIGMA.get(name, min(0.30, SPREAD[folder_of[name]] / largest))
            out.append(Modifier(tuple(sides), float(sigma), name))
        return out

    def _asymmetry(self) -> list[tuple[int, int]]:
        names = sorted(
            f.name[: -len("-l.target.gz")]
            for f in (self._folder / "asym").glob("asym-*-l.target.gz")
        )
        return [(self._add(f"asym/{n}-l"), self._add(f"asym/{n}-r")) for n in names]

    def _macro(self, rng: np.random.Generator, c: np.ndarray) -> None:
        binary = rng.random() < 0.8
        sex = np.clip(rng.integers(2) + rng.normal(0, 0.15), 0, 1) if binary else rng.random()
        low, high = [(0.08, 0.1875), (0.1875, 0.4), (0.4, 0.6), (0.6, 1.0)][
            int(np.searchsorted([0.03, 0.15, 0.62], rng.random()))
        ]
        age = _between(rng.uniform(low, high), (0.0, 0.1875, 0.5, 1.0))
        race = rng.dirichlet([0.5] * 3)
        muscle = _between(np.clip(rng.normal(0.5, 0.2), 0, 1), (0.0, 0.5, 1.0))
        weight = _between(np.clip(rng.normal(0.5, 0.18), 0, 1), (0.0, 0.5, 1.0))
        for g, wg in zip(SEXES, (1 - sex, sex), strict=True):
            for a, wa in zip(AGES, age, strict=True):
                for r, wr in zip(RACES, race, strict=True):
                    c[self.index[f"macrodetails/{r}-{g}-{a}"]] = wg * wa * wr
                for m, wm in zip(MUSCLE, muscle, strict=True):
                    for w, ww in zip(WEIGHT, weight, strict=True):
                        c[self.index[f"macrodetails/universal-{g}-{a}-{m}-{w}"]] = wg * wa * wm * ww

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Return coefficients (n, n_targets) of ``n`` random identities."""
        rng = np.random.default_rng(seed)
        out = np.zeros((n, len(self.targets)))
        for c in out:
            self._macro(rng, c)
            head, strength = HEADS[rng.integers(len(HEADS))], rng.uniform(0, 0.35)
            for m in self.modifiers:
                one_sided = m.sides[0][0] < 0
                x = abs(rng.normal(0, m.sigma / 2)) if one_sided else rng.normal(0, m.sigma)
                if m.name in HEADS:
                    x = strength if m.name == head else 0.0
                for negative, positive in m.sides:
                    y = x + (rng.normal(0, 0.12 * m.sigma) if len(m.sides) > 1 else 0.0)
                    y = np.clip(y, 0 if one_sided else -1, 1)
                    c[positive if y >= 0 else negative] += abs(y)
            for left, right in self.asymmetry:
                y = rng.normal(0, 0.06)
                c[left if y < 0 else right] += abs(y)
        return out


def _between(x: float, knots: tuple[float, ...]) -> np.ndarray:
    """Weights of linear interpolation between knots."""
    return np.array([np.interp(x, knots, row) for row in np.eye(len(knots))])


def align(samples: np.ndarray, reference: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Move samples (N, n, 3) onto ``reference`` by weighted similarities (Umeyama 1991)."""
    w = weight / weight.sum()
    center = np.einsum("v,nvk->nk", w, samples)
    target = w @ reference
    x, y = samples - center[:, None], reference - target
    u, s, vt = np.linalg.svd(np.einsum("v,nvj,vk->njk", w, x, y))
    flip = np.ones((len(samples), 3))
    flip[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * flip[:, None]) @ vt
    scale = (s * flip).sum(1) / np.einsum("v,nvk->n", w, x**2)
    return scale[:, None, None] * (x @ rotation) + target


@dataclass(frozen=True)
class IdentityModel:
    """Mean and components over MakeHuman's (kept) vertices, flattened xyz.

    Attributes
    ----------
    mean : (3n,)
    components : (3n, k)
        Displacement of one standard deviation.
    symmetric : (k,) bool
        Whether the component equals its mirror image (else its negative).
    variance : (k,)
        Variances in the metric's unit.
    total : float
        Variance of all samples in the metric.
    """

    mean: np.ndarray
    components: np.ndarray
    symmetric: np.ndarray
    variance: np.ndarray
    total: float


def principal_components(
    samples: np.ndarray, mirror: np.ndarray, metric: sp.spmatrix, k: int
) -> IdentityModel:
    """PCA of samples (N, n, 3) and their mirror images under a sparse metric (3n, 3n).

    Samples are split into a symmetric and an antisymmetric part, which are uncorrelated over a set
    closed under mirroring; so is every component one or the other, exactly.
    """
    count, n, _ = samples.shape
    flipped = samples[:, mirror] * np.array([-1, 1, 1], samples.dtype)
    mean = (samples.mean(0) + flipped.mean(0)) / 2
    parts = [((samples + flipped) / 2 - mean), (samples - flipped) / 2]
    found, total = [], 0.0
    for is_symmetric, part in zip((True, False), parts, strict=True):
        d = part.reshape(count, 3 * n)
        gram = d @ (metric @ d.T) / count
        gram = ((gram + gram.T) / 2).astype(np.float64)
        value, vector = eigh(gram, subset_by_index=[count - k, count - 1])
        value, vector = value[::-1], vector[:, ::-1]
        components = d.T @ vector / np.sqrt(count)
        largest = np.abs(components).argmax(0)
        components *= np.sign(components[largest, np.arange(k)])
        found += [(v, is_symmetric, c) for v, c in zip(value, components.T, strict=True)]
        total += float(np.trace(gram))
    found.sort(key=lambda t: -t[0])
    found = found[:k]
    return IdentityModel(
        mean=mean.ravel(),
        components=np.stack([f[2] for f in found], 1),
        symmetric=np.array([f[1] for f in found]),
        variance=np.array([f[0] for f in found]),
        total=total,
    )
