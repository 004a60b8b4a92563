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
# MediaPipe's network hardly ever moves these: the fit speaks for them.
FITTED = (
    *("eyeWideLeft", "eyeWideRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("noseSneerLeft", "noseSneerRight", "jawForward"),
)
# Mean of the fit and of so many times the network's, whose largest are 0.65 and 0.4: both together
# are steadier than either.
BOTH = {"eyeBlinkLeft": 1.4, "eyeBlinkRight": 1.4, "jawOpen": 1.6}
# What is a person's own, low brows or narrow eyes, both take for expression. So many percent of
# faces count as at rest in each coefficient; in the nose's, of which the fit knows least, half.
REST_SHARE = 25.0
AT_REST = {"noseSneerLeft": 50.0, "noseSneerRight": 50.0}


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
    out = network.copy()
    for k, name in enumerate(NAMES):
        if name in FITTED:
            out[:, k] = fitted[:, k]
        elif name in BOTH:
            out[:, k] = (np.minimum(BOTH[name] * network[:, k], 1) + fitted[:, k]) / 2
    if len(out):
        shares = [AT_REST.get(name, REST_SHARE) for name in NAMES]
        rest = np.array([np.percentile(out[:, k], share) for k, share in enumerate(shares)])
        out = np.clip((out - rest) / np.maximum(1 - rest, 1e-6), 0, 1).astype(np.float32)
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
    return BlendshapeLabels(
        shards.read("names"), join(shards.read("network"), shards.read("fitted"))
    )
