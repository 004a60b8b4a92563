"""Where the average person with a neutral face lies among the coefficients, and how people vary.

Coefficients fitted to the training faces say so. Shape: mean and standard deviation over faces that
look into the camera. Expression: the mean over those whose mouth is shut, whose eyes are open and
who hardly smile, moved by as little as shuts the lips; and the standard deviation over all of them.
Left and right are made equal: an average that is asymmetric shows where light falls from.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from training.dataset.packed import PackedFaces
from training.labels.pseudo_labels import angles

Array = npt.NDArray[np.float64]

DEFAULT = Path(__file__).with_name("population.json")
# Degrees of yaw and pitch within which fitted coefficients are trusted.
FRONTAL = (25.0, 20.0)
# Most of jaw, lids and smile of a neutral face, in the coefficients that the labels have.
NEUTRAL = {"jaw_open": 0.08, "blink_left": 0.3, "blink_right": 0.3, "smile": 0.4}
DIGITS = 4


@dataclass(frozen=True)
class Population:
    """An affine change of coefficients: new = (old - center) / scale.

    Attributes
    ----------
    center : ndarray, shape (C,), float64
        Old coefficients of the average person with a neutral face; shape, then expression.
    scale : ndarray, shape (C,), float64
        Standard deviation of the old coefficients.
    faces, neutral : int
        How many faces it was measured on, and how many of them are neutral.
    """

    center: Array
    scale: Array
    faces: int = 0
    neutral: int = 0

    def __post_init__(self) -> None:
        if self.center.shape != self.scale.shape or self.center.ndim != 1:
            raise InputError("population: expected center and scale of one length")
        if not (np.isfinite(self.center).all() and np.isfinite(self.scale).all()):
            raise InputError("population: expected finite numbers")
        if (self.scale <= 0).any():
            raise InputError("population: expected a positive scale")

    def convert(self, coefficients: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return old coefficients (..., C) in the new terms."""
        return ((np.asarray(coefficients, np.float64) - self.center) / self.scale).astype(
            np.float32
        )


def measure(sources: Sequence[PackedFaces], model: Mapping[str, Any]) -> Population:
    """Measure the population of packed data sets; held-out faces do not count.

    Parameters
    ----------
    sources : sequence of PackedFaces
        Photographs, not turned copies, with labels in terms of `model`.
    model : mapping
        Arrays of the face model's file.

    Raises
    ------
    InputError
        If too few faces are frontal or neutral.
    """
    names = [str(name) for name in model["exp_names"]]
    n_shape, n_exp = model["w_shp"].shape[1], len(names)
    parts = []
    for source in sources:
        yaw, pitch = (np.abs(angle) for angle in angles(source.labels.camera))
        chosen = (yaw < FRONTAL[0]) & (pitch < FRONTAL[1]) & source.usable & ~source.held_out
        parts.append(source.labels.alpha[chosen].astype(np.float64))
    alpha = np.concatenate(parts) if parts else np.zeros((0, n_shape + n_exp))
    neutral = np.ones(len(alpha), bool)
    for name, most in NEUTRAL.items():
        neutral &= np.abs(alpha[:, n_shape + names.index(name)]) < most
    if neutral.sum() < 50:
        raise InputError(f"expected 50 neutral faces from the front, got {neutral.sum()}")
    center, scale = alpha.mean(axis=0), alpha.std(axis=0)
    center[n_shape:] = alpha[neutral, n_shape:].mean(axis=0)
    center[n_shape + names.index("jaw_open")] = 0  # else it would say how tightly lips are shut
    pair = [n_shape + names.index(f"blink_{side}") for side in ("left", "right")]
    center[pair], scale[pair] = center[pair].mean(), scale[pair].mean()
    center[~_symmetric(model, pair)] = 0
    center = _shut_lips(center, scale, model, n_shape, names)
    return Population(center.round(DIGITS), scale.round(DIGITS), len(alpha), int(neutral.sum()))


def _symmetric(model: Mapping[str, Any], pair: list[int]) -> npt.NDArray[np.bool_]:
    """Tell which components do not change if the face is mirrored; the pair counts as one."""
    basis = np.concatenate([model["w_shp"], model["w_exp"]], axis=1).astype(np.float64)
    x = basis.reshape(-1, 3, basis.shape[1])
    same = (x[model["mirror"]] * np.array([-1, 1, 1])[:, None] * x).sum((0, 1)) > 0
    same[pair] = True
    return np.asarray(same)


def _shut_lips(
    center: Array, scale: Array, model: Mapping[str, Any], n_shape: int, names: list[str]
) -> Array:
    """Move both lips by as few standard deviations as shut them."""
    upper, lower = (3 * side + 1 for side in model["lip_probes"].T)
    rows = np.concatenate([model["w_shp"], model["w_exp"]], axis=1).astype(np.float64)
    u = model["u"].ravel().astype(np.float64)
    step = rows[upper] - rows[lower]
    gap = float((u[upper] - u[lower] + step @ center).mean())
    free = np.zeros(len(center), bool)
    for name in ("upper_lip_raise", "lower_lip_down"):
        free[n_shape + names.index(name)] = True
    slope = np.where(free, step.mean(axis=0) * scale, 0)
    return center - gap * slope / (slope @ slope) * scale


def save(path: Path, population: Population, names: Sequence[str]) -> None:
    """Write a population as JSON; `names` are those of the expression components."""
    n_shape = len(population.center) - len(names)
    keys = [*(f"shape {k}" for k in range(n_shape)), *names]
    pairs = zip(keys, population.center.tolist(), population.scale.tolist(), strict=True)
    data = {
        "faces": population.faces,
        "neutral": population.neutral,
        "center, scale": {key: [center, scale] for key, center, scale in pairs},
    }
    with replacing(path) as temporary:
        text = json.dumps(data, indent=1).replace("[\n   ", "[").replace(",\n   ", ", ")
        temporary.write_text(text.replace("\n  ]", "]") + "\n", encoding="utf-8")


def load(path: Path = DEFAULT) -> Population:
    """Read what `save` wrote.

    Raises
    ------
    InputError
        If the file cannot be read or holds something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        pairs = np.array(list(data["center, scale"].values()), np.float64)
        center, scale = pairs.T
        return Population(center, scale, int(data["faces"]), int(data["neutral"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"'{path}': expected center and scale of a population") from error
