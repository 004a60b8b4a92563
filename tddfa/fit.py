"""Fit the open face model to landmarks: pose, shape and expression of many faces at once.

Camera: scaled orthographic, x_img = s·R·S(a, b) + t, with Gaussian priors on shape and expression
and bounds on the expression. Pose (Gauss-Newton on rotation and scale) and coefficients (linear
least squares) are solved in turn. Both need only sums over the points: with X_k = B_k c,
c = [a; b; 1] and camera rows P = s·R[:2],

::

    sum_k w_k X_ki X_kj = c' G_ij c     G_ij = sum_k w_k B_ki' B_kj    once per model
    sum_k w_k X_ki x_kj = D_ij c        D_ij = sum_k w_k x_kj B_ki     once per face
    normal matrix of c  = sum_ij (P'P)_ij G_ij

so that the cost of a round does not depend on the number of points.

Command line: ``python -m tddfa.fit points.npy fitted.npz``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.face_fit import FaceFit
from tddfa.io.atomic import save_arrays
from tddfa.io.targets import RunFile, check_targets
from tddfa.landmark_basis import N_MEDIAPIPE, FloatArray, LandmarkBasis, load_landmark_basis
from tddfa.orthographic_pose import PointMoments, solve_pose

__all__ = ["FaceFit", "FitOptions", "LandmarkBasis", "LandmarkFitter", "load_landmark_basis"]

_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_SYMMETRIC = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])


@dataclass(frozen=True)
class FitOptions:
    """How strongly priors hold against points.

    Attributes
    ----------
    noise : float
        Standard deviation of a landmark, as a part of the face's size (the square root of the
        area of the points' bounding box).
    independent_points : float
        Number of points' worth of independent evidence; neighboring points err together.
    shape_sigma : float
        Standard deviation of the shape coefficients under the prior. Fitted faces have 1,
        for priors shrink them; with 2 the fit is as free as the one that this was measured on.
    exp_sigma : float
        The same for expression, as a part of the width of each coefficient's range.
    iterations : int
        Rounds of pose and coefficients.
    """

    noise: float = 0.010
    independent_points: float = 60.0
    shape_sigma: float = 2.0
    exp_sigma: float = 0.8
    iterations: int = 8


class LandmarkFitter:
    """Fits a model to landmarks; holds what is made once per model.

    Parameters
    ----------
    basis : LandmarkBasis, optional
        By default MediaPipe's points on the model that ships.
    options : FitOptions, optional

    Examples
    --------
    >>> fitter = LandmarkFitter()
    >>> face = 2.0 * fitter.basis.mean[:, :2] * [1, -1] + [200, 150]
    >>> fit = fitter.fit(face[None])
    >>> fit.params().shape, bool(fit.residual[0] < 1e-3)
    ((1, 62), True)
    """

    def __init__(
        self, basis: LandmarkBasis | None = None, options: FitOptions | None = None
    ) -> None:
        self.basis = basis if basis is not None else load_landmark_basis()
        self.options = options if options is not None else FitOptions()
        b, w = self.basis, self.basis.weight / self.basis.weight.sum()
        k, _, m = b.components.shape
        whole = np.concatenate([b.components, b.mean[:, :, None]], axis=2)
        weighted = whole * w[:, None, None]
        self._weight = w
        self._weighted = np.ascontiguousarray(weighted.reshape(k, 3 * (m + 1)).T)
        self._sum = weighted.sum(0)
        gram = np.einsum("kia,kjb->ijab", weighted, whole, optimize=True)
        # Pairs of axes (i <= j); a pair of different axes stands for both orders.
        self._gram = np.stack([(gram[i, j] + gram[j, i]) / 2 for i, j in _PAIRS])
        width = b.exp_range[:, 1] - b.exp_range[:, 0]
        exp_sigma = np.maximum(self.options.exp_sigma * width, 1e-6)
        self._prior = 1 / np.r_[np.full(b.n_shape, self.options.shape_sigma), exp_sigma] ** 2
        free = np.full(b.n_shape, np.inf)
        self._low, self._high = np.r_[-free, b.exp_range[:, 0]], np.r_[free, b.exp_range[:, 1]]

    def fit(self, points: npt.ArrayLike, batch: int = 512) -> FaceFit:
        """Fit faces.

        Parameters
        ----------
        points : array_like, shape (n, K, 2 or 3)
            Landmarks in pixels, x right, y down, pixel centers at whole numbers; a third
            coordinate is ignored, as are MediaPipe's ten iris points. K is 468 or 478 for
            MediaPipe's landmarks, 68 for iBUG's.
        batch : int
            Faces solved together; bounds the memory.

        Returns
        -------
        FaceFit

        Raises
        ------
        InputError
            If the array has another shape, holds values that are not finite, or points that
            all lie on a line.
        """
        p = np.asarray(points, np.float64)
        expected = len(self.basis.mean)
        if p.ndim != 3 or p.shape[2] not in (2, 3) or p.shape[1] < expected:
            raise InputError(f"points: expected shape (n, {expected}, 2), got {p.shape}")
        if p.shape[1] not in (expected, 478 if expected == N_MEDIAPIPE else expected):
            raise InputError(f"points: expected {expected} points a face, got {p.shape[1]}")
        p = p[:, :expected, :2]
        if not np.isfinite(p).all():
            raise InputError("points: expected finite numbers")
        if len(p) and (np.ptp(p, axis=1) <= 0).any():
            raise InputError("points: expected points that do not all lie on a line")
        parts = [self._solve(p[i : i + batch] * [1, -1]) for i in range(0, len(p), batch)]
        if not parts:
            parts = [self._solve(np.zeros((0, expected, 2)))]
        scale, rotation, t, a, fitted = (np.concatenate(x) for x in zip(*parts, strict=True))
        fitted *= [1, -1]
        size = np.sqrt(np.ptp(p, axis=1).prod(axis=1))
        distance = np.linalg.norm(fitted - p, axis=2).mean(axis=1)
        n = self.basis.n_shape
        return FaceFit(scale, rotation, t * [1, -1], a[:, :n], a[:, n:], fitted, distance / size)

    def _solve(self, p: FloatArray) -> tuple[FloatArray, ...]:
        """Fit one batch of points (n, K, 2), y up."""
        o, n, m = self.options, len(p), len(self._prior)
        size = np.sqrt(np.ptp(p, axis=1).prod(axis=1))
        evidence = o.independent_points / (o.noise * size) ** 2
        mean_point = np.einsum("k,nkj->nj", self._weight, p)
        cross = (self._weighted @ p).reshape(n, 3, m + 1, 2)
        inner = np.ascontiguousarray(self._gram[:, :m, :m]).reshape(6, m * m)
        a: FloatArray = np.zeros((n, m))
        scale, rotation, t = solve_pose(self._moments(a, mean_point, cross), None)
        for _ in range(o.iterations):
            camera = scale[:, None, None] * rotation[:, :2]
            q = camera.transpose(0, 2, 1) @ camera
            six = np.stack([q[:, i, j] * (1 + (i != j)) for i, j in _PAIRS], 1)
            h = (six @ inner).reshape(n, m, m)
            g = np.einsum("nji,niaj->na", camera, cross[:, :, :m])
            g -= np.einsum("nji,nj->ni", camera, t) @ self._sum[:, :m]
            g -= six @ self._gram[:, :m, m]
            h *= evidence[:, None, None]
            g *= evidence[:, None]
            h += np.diag(self._prior)
            a = self._bounded(h, g)
            scale, rotation, t = solve_pose(self._moments(a, mean_point, cross), rotation)
        c = np.column_stack([a, np.ones(n)])
        x = (c @ self._flat()).reshape(n, p.shape[1], 3)
        fitted = scale[:, None, None] * (x @ rotation[:, :2].transpose(0, 2, 1)) + t[:, None]
        return scale, rotation, t, a, fitted

    def _moments(self, a: FloatArray, mean_point: FloatArray, cross: FloatArray) -> PointMoments:
        c = np.column_stack([a, np.ones(len(a))])
        gram = self._gram.reshape(6, -1)
        second = (c[:, :, None] * c[:, None]).reshape(len(a), gram.shape[1]) @ gram.T
        return PointMoments(
            c @ self._sum.T,
            mean_point,
            second[:, _SYMMETRIC],
            np.einsum("niaj,na->nij", cross, c),
        )

    def _bounded(self, h: FloatArray, g: FloatArray) -> FloatArray:
        """Solve h a = g within the bounds: what leaves them is held there, the rest solved anew."""
        a = np.linalg.solve(h, g[:, :, None])[:, :, 0]
        outside = (a < self._low) | (a > self._high)
        rows = np.flatnonzero(outside.any(1))
        if len(rows):
            stiff = np.where(outside[rows], 1e6 * np.einsum("nii->ni", h[rows]), 0.0)
            bound = np.clip(a[rows], self._low, self._high)
            held = h[rows] + stiff[:, :, None] * np.eye(a.shape[1])
            a[rows] = np.linalg.solve(held, (g[rows] + stiff * bound)[:, :, None])[:, :, 0]
        return np.clip(a, self._low, self._high)

    def _flat(self) -> FloatArray:
        b = self.basis
        whole = np.concatenate([b.components, b.mean[:, :, None]], axis=2)
        return whole.reshape(-1, whole.shape[2]).T


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tddfa.fit", description="Fit the face model to landmarks in pixels."
    )
    add = parser.add_argument
    add("points", type=Path, help=".npy, (n, 68 | 468 | 478, 2 | 3), y down")
    add("out", type=Path, help=".npz: params (n, 62), residual, points, …")
    add("-m", "--model", type=Path, help="face model (.npz, default: the one that ships)")
    args = parser.parse_args(argv)
    inputs = [RunFile(args.points, "points")]
    inputs += [RunFile(args.model, "face model")] if args.model else []
    check_targets(inputs, [RunFile(args.out, "output")])
    try:
        points = np.load(args.points, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{args.points}: expected an .npy array of points ({error})") from error
    if points.ndim == 2:
        points = points[None]
    kind = "ibug" if points.ndim == 3 and points.shape[1] == 68 else "mediapipe"
    fit = LandmarkFitter(load_landmark_basis(args.model, kind)).fit(points)
    save_arrays(args.out, params=fit.params(), **vars(fit))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
