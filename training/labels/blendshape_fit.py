"""Fit ARKit's 52 displacements to MediaPipe's points: bounded, with identity and pose left free.

`tddfa.fit` finds pose and identity first, with the face model's own ten components of expression in
the blendshapes' place. About that solution everything is linear::

    seen point = s·R[:2]·(S(a) + B·w) + t  ~  J·x,   x = [w (52) | a | turn (3), size, place (2)]

with 0 <= w <= 1, Gaussian priors on the identity a and on w, and none on the pose. Identity and
pose are eliminated (Schur complement), and what is left is a bounded fit of w as in
`tddfa.blendshapes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.arkit52 import NAMES
from tddfa.blendshapes import Blendshapes, load_blendshapes
from tddfa.fit import LandmarkFitter
from tddfa.landmark_basis import DEFAULT_MODEL, N_MEDIAPIPE
from tddfa.npz import load_npz

Array = npt.NDArray[np.float64]

_SWEEPS = 80
_GAZE = [name.startswith("eyeLook") for name in NAMES]


@dataclass(frozen=True)
class BlendshapeFitOptions:
    """How strongly priors hold against points.

    Attributes
    ----------
    noise : float
        Standard deviation of a point, as a part of the face's size.
    independent_points : float
        Number of points' worth of independent evidence.
    shape_sigma : float
        Standard deviation of the identity's coefficients.
    sigma : float
        That of blendshapes' coefficients.
    lasso : float
        Slope of the prior on coefficients: what explains next to nothing stays at 0.
    """

    noise: float = 0.008
    independent_points: float = 120.0
    shape_sigma: float = 1.0
    sigma: float = 0.5
    lasso: float = 1.0


def point_displacements(shapes: Blendshapes, model: Path = DEFAULT_MODEL) -> Array:
    """Return how each blendshape moves MediaPipe's points, (468, 3, 52) in mm."""
    arrays = load_npz(model)
    corners = arrays["mediapipe_vertices"][:N_MEDIAPIPE]
    dense = shapes.matrix.reshape(len(NAMES), -1, 3)[:, corners]
    weights = arrays["mediapipe_weights"][:N_MEDIAPIPE]
    return np.einsum("kc,bkci->kib", weights, dense)


class BlendshapeFitter:
    """Fits coefficients to points; holds what is made once.

    Parameters
    ----------
    options : BlendshapeFitOptions, optional
    """

    def __init__(self, options: BlendshapeFitOptions | None = None) -> None:
        self.options = options or BlendshapeFitOptions()
        self.fitter = LandmarkFitter()
        self.moves = point_displacements(load_blendshapes())

    def fit(self, points: npt.ArrayLike, batch: int = 128) -> npt.NDArray[np.float32]:
        """Return coefficients (n, 52) in [0, 1] of points (n, 468 | 478, 2 | 3), y down.

        Gaze is 0. Raises `InputError` as `LandmarkFitter.fit`.
        """
        given = np.asarray(points, np.float64)
        parts = [self._fit(given[i : i + batch]) for i in range(0, len(given), batch)]
        return np.concatenate([np.zeros((0, len(NAMES)), np.float32), *parts])

    def _fit(self, points: Array) -> npt.NDArray[np.float32]:
        o, basis = self.options, self.fitter.basis
        found = self.fitter.fit(points)
        n, k = len(points), len(basis.mean)
        identity = basis.components[:, :, : basis.n_shape]
        shape = basis.mean + np.einsum("kia,na->nki", identity, found.shape)
        camera = found.rotation[:, :2]
        seen = (points[:, :k, :2] - found.translation[:, None]) * [1, -1]
        seen /= found.scale[:, None, None]
        rest = seen - np.einsum("nji,nki->nkj", camera, shape)
        # Columns: 52 blendshapes, identity, then a turn about each axis of the camera, size, place.
        turned = np.einsum("nji,nki->nkj", found.rotation, shape)
        pose = np.zeros((n, k, 2, 6))
        pose[:, :, 0, 1], pose[:, :, 0, 2] = turned[:, :, 2], -turned[:, :, 1]
        pose[:, :, 1, 0], pose[:, :, 1, 2] = -turned[:, :, 2], turned[:, :, 0]
        pose[:, :, :, 3] = turned[:, :, :2]
        pose[:, :, 0, 4] = pose[:, :, 1, 5] = 1
        fixed = np.concatenate([self.moves, identity], axis=2)
        columns = np.concatenate([np.einsum("nji,kib->nkjb", camera, fixed), pose], axis=3)
        # In the evidence's unit: a standard deviation of a point.
        size = np.sqrt(np.ptp(points[:, :k, :2], axis=1).prod(axis=1)) / found.scale
        weight = basis.weight / basis.weight.sum() * o.independent_points
        root = np.sqrt(weight) / (o.noise * size[:, None])
        j = (columns * root[:, :, None, None]).reshape(n, 2 * k, -1)
        r = (rest * root[:, :, None]).reshape(n, 2 * k, 1)
        normal, toward = j.transpose(0, 2, 1) @ j, (j.transpose(0, 2, 1) @ r)[:, :, 0]
        w = len(NAMES)
        prior = np.r_[np.full(w, o.sigma**-2), np.full(basis.n_shape, o.shape_sigma**-2)]
        prior = np.r_[prior, np.full(6, 1e-6)]
        toward[:, w : w + basis.n_shape] -= found.shape * o.shape_sigma**-2
        normal += np.diag(prior)
        other = np.linalg.solve(normal[:, w:, w:], normal[:, w:, :w])
        gram = normal[:, :w, :w] - normal[:, :w, w:] @ other
        products = toward[:, :w] - np.einsum("nkb,nk->nb", other, toward[:, w:]) - o.lasso
        return bounded(gram, products)


def bounded(gram: Array, products: Array) -> npt.NDArray[np.float32]:
    """Minimize ``w'Gw/2 - b'w`` over 0 <= w <= 1 for n faces, by coordinate descent.

    mouthClose stays at or below jawOpen, as in `tddfa.blendshapes.bounded_fit`, and gaze stays 0.

    Parameters
    ----------
    gram : ndarray, shape (n, 52, 52)
    products : ndarray, shape (n, 52)

    Returns
    -------
    ndarray, shape (n, 52), float32
    """
    w = np.zeros_like(products)
    jaw, close = NAMES.index("jawOpen"), NAMES.index("mouthClose")
    moving = [k for k in range(len(NAMES)) if not _GAZE[k] and NAMES[k] != "tongueOut"]
    for _ in range(_SWEEPS):
        for k in moving:
            rest = products[:, k] - np.einsum("nb,nb->n", gram[:, k], w) + gram[:, k, k] * w[:, k]
            w[:, k] = np.clip(rest / gram[:, k, k], 0, w[:, jaw] if k == close else 1)
    return w.astype(np.float32)
