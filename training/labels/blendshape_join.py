"""One label of each blendshape out of MediaPipe's network and the fit to its points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.arkit52 import NAMES
from tddfa.errors import InputError
from training.dataset.shards import Shards

KIND = "blendshapes"  # of the shards
# MediaPipe's network hardly ever moves these, or (the jaw) by a third of what is there: the fit
# speaks for them.
FITTED = (
    *("eyeWideLeft", "eyeWideRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("noseSneerLeft", "noseSneerRight", "jawForward", "jawOpen"),
)
# The network's full blink is 0.65: both together are steadier than either.
BOTH = {"eyeBlinkLeft": 1.4, "eyeBlinkRight": 1.4}
# Fits take what is a person's own for expression: so many percent of faces count as at rest.
AT_REST = {"noseSneerLeft": 50.0, "noseSneerRight": 50.0, "jawOpen": 10.0}


@dataclass(frozen=True)
class BlendshapeLabels:
    """Labels of n faces.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
        Of the crops.
    coefficients : ndarray, shape (n, 52), float32
        In [0, 1], in the order of `tddfa.arkit52`.
    """

    names: npt.NDArray[np.str_]
    coefficients: npt.NDArray[np.float32]

    def of(self, names: npt.NDArray[np.str_]) -> npt.NDArray[np.float32]:
        """Return the rows of some names, (m, 52); NaN where there is none."""
        row = {name: i for i, name in enumerate(self.names.tolist())}
        out = np.full((len(names), len(NAMES)), np.nan, np.float32)
        places = np.array([row.get(name, -1) for name in names.tolist()], int)
        out[places >= 0] = self.coefficients[places[places >= 0]]
        return out


def join(
    network: npt.NDArray[np.float32], fitted: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return labels (n, 52) of many faces of many people, see `FITTED`, `BOTH`, `AT_REST`."""
    out, fit = network.copy(), fitted.copy()
    for name, share in AT_REST.items():
        k = NAMES.index(name)
        rest = np.percentile(fit[:, k], share) if len(fit) else 0.0
        fit[:, k] = np.clip((fit[:, k] - rest) / max(1 - rest, 1e-6), 0, 1)
    for name in FITTED:
        out[:, NAMES.index(name)] = fit[:, NAMES.index(name)]
    for name, gain in BOTH.items():
        k = NAMES.index(name)
        out[:, k] = (np.minimum(gain * network[:, k], 1) + fit[:, k]) / 2
    return out


def load_labels(folder: Path) -> BlendshapeLabels:
    """Read all shards of ``training.blendshape_labels``.

    Raises
    ------
    InputError
        If there are none.
    """
    shards = Shards(folder, KIND)
    if not shards.paths:
        raise InputError(f"'{folder}': expected {KIND}_*.npz of training.blendshape_labels")
    return BlendshapeLabels(shards.read("names"), join(shards.read("network"), shards.read("fitted")))
