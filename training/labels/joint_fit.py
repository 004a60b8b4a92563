"""Fit the face model to two opinions at once: MediaPipe's points and another network's 68.

MediaPipe marks lids and lips well and the outline badly, and it is lost beyond half profiles; a
network that was trained on poses of all sizes gives the outline, and depth, at any yaw, and hardly
closes eyes. Their errors fall in different places, so that together they are better than each.

::

    minimize  E·m·Σ w_k |P_k - p_k|²  +  E·Σ v_j (|Q_j - q_j|²_xy + d·|Q_j - q_j|²_z)
            + E·m·o·Σ |(Q_up - Q_low) - (r_up - r_low)|²_xy  +  priors

P are the model's MediaPipe points and Q its 68 landmarks under one camera and one set of
coefficients, E the evidence of all points (`tddfa.fit.FitOptions`), m falls from 1 at 30° of yaw to
0 at 60°. Points marked by hand join the second opinion's. The third sum goes over pairs of upper
and lower lid and lip, o = OPENING_WEIGHT over their number; r is the hand's where it marked them,
MediaPipe's else: few points show whether an eye or a mouth is open, and among all they count for
nothing. Gauss-Newton steps on a rotation vector, the logarithm of the scale, the translation and
the coefficients, which stay within the model's ranges, but for the jaw's, which people open further
than the heads that the range comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tddfa.fit import FitOptions
from tddfa.ibug68 import LID_PAIRS, LIP_PAIRS, MEDIAPIPE
from tddfa.landmark_basis import LandmarkBasis

FloatArray = npt.NDArray[np.floating]
MESH_ALONE, POINTS_ALONE = 30.0, 60.0
ROUNDS = 6
BATCH = 256
# Another network's depth is a guess from a single view.
DEPTH_WEIGHT = 0.3
# Where both are good the second opinion counts half.
SECOND_WEIGHT = 0.5
LIP_WEIGHT = 0.2
# Marks by hand on the jaw slide along it, and leave it as soon as the face turns.
JAW_ALONE, JAW_WEIGHT = 15.0, 0.3
# All pairs together, in relation to MediaPipe's points together: with more, the points suffer.
OPENING_WEIGHT = 0.5
OPENING_PAIRS = np.array([pair for eye in LID_PAIRS for pair in eye[:2]] + list(LIP_PAIRS))
_MEDIAPIPE_PAIRS = np.array([[MEDIAPIPE[point] for point in pair] for pair in OPENING_PAIRS])
OPENING_PAIRS.flags.writeable = _MEDIAPIPE_PAIRS.flags.writeable = False
# How far a jaw drops, in parts of the model's range.
JAW, JAW_REACH = "jaw_open", 1.6


@dataclass(frozen=True)
class Faces:
    """Cameras and coefficients of n faces; y up, z to the viewer.

    Attributes
    ----------
    scale : ndarray, shape (n,)
    rotation : ndarray, shape (n, 3, 3)
    translation : ndarray, shape (n, 3)
    alpha : ndarray, shape (n, C)
    """

    scale: FloatArray
    rotation: FloatArray
    translation: FloatArray
    alpha: FloatArray


def mesh_share(yaw: npt.ArrayLike) -> FloatArray:
    """Return how much MediaPipe's points count at a yaw in degrees: 1 up to 30, 0 from 60 on.

    Examples
    --------
    >>> mesh_share([0, -45, 90]).tolist()
    [1.0, 0.5, 0.0]
    """
    turn = np.abs(np.asarray(yaw, np.float64))
    return np.clip((POINTS_ALONE - turn) / (POINTS_ALONE - MESH_ALONE), 0, 1)


def point_weights(share: FloatArray) -> FloatArray:
    """Return the weights (n, 68) of the second opinion's points.

    They sum to a half where MediaPipe counts fully and to 1 where it does not count at all; the
    less it counts, the more do their lids and lips.
    """
    own = np.ones(68)
    own[48:60], own[60:68] = LIP_WEIGHT, 0
    own[[point for eye in LID_PAIRS for pair in eye[:2] for point in pair]] = 0
    weights = own + (1 - np.asarray(share))[:, None] * (1 - own)
    total = 1 - (1 - SECOND_WEIGHT) * np.asarray(share)
    return total[:, None] * weights / weights.sum(axis=1, keepdims=True)


def annotation_weights(yaw: FloatArray, known: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the weights (n, 68) of points marked by hand, which sum to 1 for a face seen in front.

    Marks follow what is seen: on a turned face the jaw's lie on the outline, and those of the far
    brow and lid where they vanish. The jaw's count up to 15 degrees, the others as MediaPipe's do.
    """
    own = np.zeros((len(yaw), 68))
    own[:, 17:] = mesh_share(yaw)[:, None]
    own[:, :17] = np.clip((JAW_ALONE - np.abs(yaw)) / JAW_ALONE, 0, 1)[:, None] * JAW_WEIGHT
    return own * known[:, None] / 51


def reach(exp_range: FloatArray, names: Sequence[str]) -> FloatArray:
    """Return the bounds (E, 2) of a fit: the model's range, but for the jaw."""
    bounds = np.array(exp_range, np.float64)
    if JAW in names:
        bounds[names.index(JAW), 1] *= JAW_REACH
    return bounds


class Fusion:
    """Fits both opinions; holds what is made once per model.

    Parameters
    ----------
    mesh, points : LandmarkBasis
        The same model at MediaPipe's points and at the 68 landmarks.
    options : FitOptions, optional
    bounds : ndarray, shape (E, 2), optional
        Of the expression coefficients; by default the model's range.
    """

    def __init__(
        self,
        mesh: LandmarkBasis,
        points: LandmarkBasis,
        options: FitOptions | None = None,
        bounds: FloatArray | None = None,
    ) -> None:
        o = options if options is not None else FitOptions()
        self.options = o
        both = [np.concatenate([getattr(b, n) for b in (mesh, points)]) for n in _ROWS]
        self._mean, self._components = (torch.from_numpy(np.asarray(a, np.float32)) for a in both)
        self._mesh_weight = mesh.weight / mesh.weight.sum()
        width = mesh.exp_range[:, 1] - mesh.exp_range[:, 0]
        sigma = np.r_[np.full(mesh.n_shape, o.shape_sigma), np.maximum(o.exp_sigma * width, 1e-6)]
        self._prior = torch.from_numpy((1 / sigma**2).astype(np.float32))
        free = np.full(mesh.n_shape, np.inf)
        bounds = mesh.exp_range if bounds is None else bounds
        low, high = np.r_[-free, bounds[:, 0]], np.r_[free, bounds[:, 1]]
        self._pairs = torch.from_numpy(OPENING_PAIRS + len(mesh.mean))
        self._low, self._high = (torch.from_numpy(a.astype(np.float32)) for a in (low, high))

    def fit(
        self,
        start: Faces,
        mesh: FloatArray,
        points: FloatArray,
        yaw: FloatArray,
        annotated: FloatArray | None = None,
        mesh_alone: bool = False,
    ) -> Faces:
        """Return the fitted faces.

        Parameters
        ----------
        start : Faces
            From either opinion alone.
        mesh : ndarray, shape (n, 468, 2)
            MediaPipe's points, y up; NaN where it found none.
        points : ndarray, shape (n, 68, 3)
            The second opinion, y up, z to the viewer.
        yaw : ndarray, shape (n,)
            Degrees; decides how much each counts.
        annotated : ndarray, shape (n, 68, 2), optional
            Points marked by hand, y up; NaN where there are none.
        mesh_alone : bool
            There is no other opinion than MediaPipe's: its points count fully at any yaw, its lids
            and lips by themselves as ever.
        """
        if not len(yaw):
            return start
        known = np.asarray(np.isfinite(mesh).all(axis=(1, 2)))
        open_share = np.where(known, mesh_share(yaw), 0.0)
        share = known.astype(np.float64) if mesh_alone else open_share
        flat = np.zeros((*mesh.shape[:2], 3), np.float32)
        flat[:, :, :2] = np.nan_to_num(mesh)
        target = np.concatenate([flat, points.astype(np.float32)], axis=1)
        weight = np.zeros((*target.shape[:2], 3), np.float32)
        weight[:, : mesh.shape[1], :2] = (share[:, None] * self._mesh_weight)[:, :, None]
        weight[:, mesh.shape[1] :] = point_weights(share)[:, :, None] * [1, 1, DEPTH_WEIGHT]
        if annotated is not None:
            # Two targets of one point are one, at their weighted mean.
            seen, by_hand = (a[:, mesh.shape[1] :, :2] for a in (target, weight))
            marked = np.asarray(np.isfinite(annotated).all(axis=(1, 2)))
            own = annotation_weights(yaw, marked)[:, :, None]
            seen += own / np.maximum(own + by_hand, 1e-9) * (np.nan_to_num(annotated) - seen)
            by_hand += own
        gap, trust = _openings(mesh, annotated, open_share, yaw)
        size = np.sqrt(np.ptp(points[:, :, :2], axis=1).prod(axis=1))
        evidence = self.options.independent_points / (self.options.noise * size) ** 2
        weight *= evidence[:, None, None]
        trust *= evidence[:, None]
        parts = []
        for first in range(0, len(target), BATCH):
            rows = slice(first, first + BATCH)
            state = [
                torch.from_numpy(np.asarray(a[rows], np.float32)) for a in vars(start).values()
            ]
            given = (target[rows], weight[rows], gap[rows], trust[rows])
            parts.append(self._solve(state, *map(torch.from_numpy, given)))
        return Faces(*(torch.cat(values).numpy() for values in zip(*parts, strict=True)))

    def _solve(
        self, state: list[Tensor], target: Tensor, weight: Tensor, gap: Tensor, trust: Tensor
    ) -> list[Tensor]:
        upper, lower = self._pairs.T
        scale, rotation, translation, alpha = state
        n, c = alpha.shape
        rows = self._components.reshape(-1, c)
        # The mean depth carries no information: it starts where the points have it.
        for _ in range(ROUNDS):
            shape = self._mean + (alpha @ rows.T).reshape(n, -1, 3)
            turned = scale[:, None, None] * (shape @ rotation.transpose(1, 2))
            jacobian = self._jacobian(scale, rotation, turned)
            residual = target - turned - translation[:, None]
            weighted = jacobian * weight.reshape(n, -1, 1)
            h = weighted.transpose(1, 2) @ jacobian
            g = (weighted.transpose(1, 2) @ residual.reshape(n, -1, 1))[:, :, 0]
            by_point = jacobian.view(n, -1, 3, 7 + c)
            across = (by_point[:, upper, :2] - by_point[:, lower, :2]).flatten(1, 2)
            missing = gap - (turned[:, upper, :2] - turned[:, lower, :2])
            weighted = across * trust.repeat_interleave(2, dim=1)[:, :, None]
            h += weighted.transpose(1, 2) @ across
            g += (weighted.transpose(1, 2) @ missing.reshape(n, -1, 1))[:, :, 0]
            h[:, 7:, 7:] += torch.diag(self._prior)
            g[:, 7:] -= self._prior * alpha
            h += 1e-6 * torch.diag_embed(torch.diagonal(h, dim1=1, dim2=2))
            step = torch.linalg.solve(h.double(), g.double()).float()
            rotation = torch.linalg.matrix_exp(_cross(step[:, :3])) @ rotation
            scale = scale * step[:, 3].exp()
            translation = translation + step[:, 4:7]
            alpha = torch.clamp(alpha + step[:, 7:], self._low, self._high)
        return [scale, rotation, translation, alpha]

    def _jacobian(self, scale: Tensor, rotation: Tensor, turned: Tensor) -> Tensor:
        """Return derivatives (n, 3K, 7 + C) by rotation, log scale, translation, coefficients."""
        n, k, _ = turned.shape
        basis = self._components
        moved = torch.einsum("nij,kjc->nkic", scale[:, None, None] * rotation, basis)
        # d(v x y)/dv = -[y]x
        spin = -_cross(turned.reshape(-1, 3)).reshape(n, k, 3, 3)
        shift = torch.eye(3).expand(n, k, 3, 3)
        return torch.cat([spin, turned[:, :, :, None], shift, moved], dim=3).reshape(n, 3 * k, -1)


def _openings(
    mesh: FloatArray, annotated: FloatArray | None, share: FloatArray, yaw: FloatArray
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the vectors (n, 7, 2) from lower to upper lids and lips, and their weights (n, 7)."""
    gap = mesh[:, _MEDIAPIPE_PAIRS[:, 0]] - mesh[:, _MEDIAPIPE_PAIRS[:, 1]]
    if annotated is not None:
        by_hand = annotated[:, OPENING_PAIRS[:, 0]] - annotated[:, OPENING_PAIRS[:, 1]]
        marked = np.asarray(np.isfinite(by_hand).all(axis=(1, 2)))
        gap = np.where(marked[:, None, None], by_hand, gap)
        share = np.where(marked, mesh_share(yaw), share)
    weight = np.repeat(share[:, None] * OPENING_WEIGHT / len(OPENING_PAIRS), len(OPENING_PAIRS), 1)
    return np.nan_to_num(gap).astype(np.float32), weight.astype(np.float32)


_ROWS = ("mean", "components")


def _cross(v: Tensor) -> Tensor:
    """Return the matrices (n, 3, 3) of the cross products with vectors (n, 3)."""
    x, y, z = v.unbind(1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).reshape(-1, 3, 3)
