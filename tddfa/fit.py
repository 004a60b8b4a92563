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
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError

FloatArray = npt.NDArray[np.floating]

INPUT_SIDE = 120
DEFAULT_MODEL = Path(__file__).resolve().parent.parent / "configs/face_model.npz"
N_MEDIAPIPE = 468
# MediaPipe's outline is a guess where hair or an ear hides it: jaw, and still more the forehead.
_JAW = (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152,
        356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)  # fmt: skip
_TOP = (10, 109, 67, 103, 54, 21, 162, 338, 297, 332, 284, 251, 389)
_LIDS = (
    33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7,
    263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249,
)  # fmt: skip
# Lips, brows, ridge and wings of the nose: few points that carry the expression.
_FEATURES = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
    78, 80, 81, 82, 13, 312, 311, 310, 308, 318, 402, 317, 14, 87, 178, 88,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 98, 97, 2, 326, 327, 4, 1, 5, 195, 197, 6, 168,
)  # fmt: skip


_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_SYMMETRIC = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])


@dataclass(frozen=True)
class LandmarkBasis:
    """The face model at K landmarks.

    Attributes
    ----------
    mean : ndarray, shape (K, 3), float64
        Mean shape in the model's unit, y up, z towards the viewer.
    components : ndarray, shape (K, 3, S + E), float64
        Shape, then expression components.
    n_shape : int
        Number S of shape components.
    weight : ndarray, shape (K,), float64
        Importance of each point.
    exp_range : ndarray, shape (E, 2), float64
        Bounds of the expression coefficients.
    """

    mean: FloatArray
    components: FloatArray
    n_shape: int
    weight: FloatArray
    exp_range: FloatArray


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
        Standard deviation of the shape coefficients under the prior.
    exp_sigma : float
        The same for expression, as a part of the width of each coefficient's range.
    iterations : int
        Rounds of pose and coefficients.
    """

    noise: float = 0.010
    independent_points: float = 60.0
    shape_sigma: float = 1.0
    exp_sigma: float = 0.8
    iterations: int = 8


@dataclass(frozen=True)
class FaceFit:
    """Fitted faces.

    Attributes
    ----------
    scale : ndarray, shape (n,)
        Pixels per model unit (mm).
    rotation : ndarray, shape (n, 3, 3)
        From the model's frame to the camera's: x right, y up, z towards the viewer.
    translation : ndarray, shape (n, 2)
        Where the model's origin lies, in pixels of the picture, **y down**.
    shape : ndarray, shape (n, S)
        Shape coefficients in standard deviations.
    expression : ndarray, shape (n, E)
        Expression coefficients, within the model's ranges.
    points : ndarray, shape (n, K, 2)
        Fitted landmarks in pixels of the picture, y down.
    residual : ndarray, shape (n,)
        Mean distance to the given points, as a part of the face's size (the square root of the
        area of the given points' bounding box).
    """

    scale: FloatArray
    rotation: FloatArray
    translation: FloatArray
    shape: FloatArray
    expression: FloatArray
    points: FloatArray
    residual: FloatArray

    def params(self, roi_boxes: npt.ArrayLike | None = None) -> npt.NDArray[np.float32]:
        """Return the regressor's parameters, 12 + S + E numbers a face.

        The first twelve are the 3x4 matrix [s·R | t], row by row, that maps the model into the
        120x120 crop of a ROI with y up, counted from its lower edge, and x 1-based: reconstruction
        from the crop's parameters and the ROI gives the picture's pixels back. t_z, which no
        landmark shows, is 0.

        Parameters
        ----------
        roi_boxes : array_like, shape (n, 4), optional
            ``[xmin, ymin, xmax, ymax]`` of each face's ROI. By default [0, 0, 120, 120]: the
            picture's own pixels.

        Returns
        -------
        ndarray, shape (n, 12 + S + E), float32
        """
        n = len(self.scale)
        roi = np.array([[0.0, 0.0, INPUT_SIDE, INPUT_SIDE]]) if roi_boxes is None else roi_boxes
        box = np.broadcast_to(np.asarray(roi, np.float64), (n, 4))
        zoom = INPUT_SIDE / (box[:, 2:] - box[:, :2])
        camera = np.zeros((n, 3, 4))
        by_row = np.column_stack([zoom, zoom.mean(1)]) * self.scale[:, None]
        camera[:, :, :3] = by_row[:, :, None] * self.rotation
        crop = (self.translation - box[:, :2]) * zoom
        camera[:, 0, 3], camera[:, 1, 3] = crop[:, 0] + 1, INPUT_SIDE - crop[:, 1]
        parts = [camera.reshape(n, 12), self.shape, self.expression]
        return np.concatenate(parts, axis=1).astype(np.float32)


def load_landmark_basis(
    path: str | Path | None = None, landmarks: str = "mediapipe"
) -> LandmarkBasis:
    """Read the rows of a face model that belong to landmarks.

    Parameters
    ----------
    path : str or Path, optional
        Face model in the project's ``.npz`` format; by default the one that ships.
    landmarks : {"mediapipe", "ibug"}
        468 points of MediaPipe's face mesh, or iBUG's 68.

    Raises
    ------
    InputError
        If the file is no such model or `landmarks` is unknown.
    """
    path = DEFAULT_MODEL if path is None else Path(path)
    if landmarks not in ("mediapipe", "ibug"):
        raise InputError(f"landmarks: expected mediapipe or ibug, got {landmarks}")
    try:
        with np.load(path, allow_pickle=False) as f:
            need = ["u", "w_shp", "w_exp", "exp_range", "keypoints"]
            if landmarks == "mediapipe":
                need += ["mediapipe_vertices", "mediapipe_weights", "mediapipe_offset"]
            arrays = {k: f[k] for k in need}
    except (OSError, ValueError, KeyError) as e:
        raise InputError(f"{path}: expected a face model with landmarks ({e})") from e

    def rows(name: str) -> FloatArray:
        a = arrays[name].reshape(len(arrays["u"]) // 3, 3, -1)
        if landmarks == "ibug":
            return a[arrays["keypoints"]].astype(np.float64)
        corners = a[arrays["mediapipe_vertices"][:N_MEDIAPIPE]].astype(np.float64)
        return np.einsum("kc,kcij->kij", arrays["mediapipe_weights"][:N_MEDIAPIPE], corners)

    shape, expression, mean = rows("w_shp"), rows("w_exp"), rows("u")[:, :, 0]
    if landmarks == "mediapipe":
        mean = mean + arrays["mediapipe_offset"][:N_MEDIAPIPE]
    return LandmarkBasis(
        mean=mean,
        components=np.concatenate([shape, expression], axis=2),
        n_shape=shape.shape[2],
        weight=_mediapipe_weight() if landmarks == "mediapipe" else _ibug_weight(),
        exp_range=arrays["exp_range"].astype(np.float64),
    )


def _mediapipe_weight() -> FloatArray:
    weight = np.ones(N_MEDIAPIPE)
    weight[list(_FEATURES)] = 2.5
    weight[list(_LIDS)] = 6.0
    weight[list(_JAW)] = 0.4
    weight[list(_TOP)] = 0.15
    return weight


def _ibug_weight() -> FloatArray:
    weight = np.ones(68)
    weight[:17] = 0.4
    return weight


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
        scale, rotation, t = _pose(self._moments(a, mean_point, cross), None)
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
            scale, rotation, t = _pose(self._moments(a, mean_point, cross), rotation)
        c = np.column_stack([a, np.ones(n)])
        x = (c @ self._flat()).reshape(n, p.shape[1], 3)
        fitted = scale[:, None, None] * (x @ rotation[:, :2].transpose(0, 2, 1)) + t[:, None]
        return scale, rotation, t, a, fitted

    def _moments(self, a: FloatArray, mean_point: FloatArray, cross: FloatArray) -> _Moments:
        c = np.column_stack([a, np.ones(len(a))])
        gram = self._gram.reshape(6, -1)
        second = (c[:, :, None] * c[:, None]).reshape(len(a), gram.shape[1]) @ gram.T
        return _Moments(
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


@dataclass(frozen=True)
class _Moments:
    """Weighted sums over n faces' points: of model and picture points, and of their products."""

    model: FloatArray
    picture: FloatArray
    model_model: FloatArray
    model_picture: FloatArray


def _pose(
    moments: _Moments, rotation: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return scale (n,), rotation (n, 3, 3), translation (n, 2) of p ~ s R[:2] x + t.

    Without a start, the affine solution's polar factor is one; then Gauss-Newton steps on a
    rotation vector and the scale.
    """
    xm, pm = moments.model, moments.picture
    xx = moments.model_model - xm[:, :, None] * xm[:, None]
    xp = moments.model_picture - xm[:, :, None] * pm[:, None]
    steps = 3
    if rotation is None:
        affine = np.linalg.solve(xx, xp).transpose(0, 2, 1)
        u, _, vt = np.linalg.svd(affine, full_matrices=False)
        two = u @ vt
        third = np.cross(two[:, 0], two[:, 1])
        rotation = np.concatenate([two, third[:, None]], axis=1)
        steps = 10
    for step in range(steps + 1):
        m = rotation @ xx @ rotation.transpose(0, 2, 1)
        c = rotation @ xp
        spread = m[:, 0, 0] + m[:, 1, 1]
        s = (c[:, 0, 0] + c[:, 1, 1]) / spread
        if step < steps:
            rotation = _rodrigues(_rotation_step(m, c, s)) @ rotation
    t = pm - s[:, None] * np.einsum("nij,nj->ni", rotation[:, :2], xm)
    return s, rotation, t


def _rotation_step(m: FloatArray, c: FloatArray, s: FloatArray) -> FloatArray:
    """Return a Gauss-Newton step of the rotation vector (n, 3).

    With turned points y, a small turn v moves s·y by s·v x y; ``m`` is the sum of y y', ``c`` that
    of y p', and the scale is the fourth unknown.
    """
    spread = m[:, 0, 0] + m[:, 1, 1]
    e = c - s[:, None, None] * m[:, :, :2]
    a = np.zeros((len(s), 4, 4))
    a[:, 0, 0] = a[:, 1, 1] = s**2 * m[:, 2, 2]
    a[:, 2, 2] = s**2 * spread
    a[:, 0, 2] = a[:, 2, 0] = -(s**2) * m[:, 2, 0]
    a[:, 1, 2] = a[:, 2, 1] = -(s**2) * m[:, 2, 1]
    a[:, 0, 3] = a[:, 3, 0] = -s * m[:, 2, 1]
    a[:, 1, 3] = a[:, 3, 1] = s * m[:, 2, 0]
    a[:, 3, 3] = spread
    turn = s[:, None] * np.stack([-e[:, 2, 1], e[:, 2, 0], e[:, 0, 1] - e[:, 1, 0]], 1)
    g = np.column_stack([turn, e[:, 0, 0] + e[:, 1, 1]])
    return np.linalg.solve(a, g[:, :, None])[:, :3, 0]


def _rodrigues(v: FloatArray) -> FloatArray:
    """Return the rotations (n, 3, 3) about the vectors (n, 3), angles in radians."""
    angle = np.linalg.norm(v, axis=1) + 1e-12
    x, y, z = (v / angle[:, None]).T
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).reshape(-1, 3, 3)
    sin, cos = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.eye(3) + sin * k + (1 - cos) * (k @ k)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    p = argparse.ArgumentParser(
        prog="python -m tddfa.fit", description="Fit the face model to landmarks in pixels."
    )
    p.add_argument("points", type=Path, help=".npy, (n, 68 | 468 | 478, 2 | 3), y down")
    p.add_argument("out", type=Path, help=".npz: params (n, 62), residual, points, …")
    p.add_argument("-m", "--model", type=Path, default=None, help="face model (.npz)")
    a = p.parse_args(argv)
    try:
        try:
            points = np.load(a.points, allow_pickle=False)
        except (OSError, ValueError) as e:
            raise InputError(f"{a.points}: expected an .npy array of points ({e})") from e
        if points.ndim == 2:
            points = points[None]
        kind = "ibug" if points.ndim == 3 and points.shape[1] == 68 else "mediapipe"
        fit = LandmarkFitter(load_landmark_basis(a.model, kind)).fit(points)
        with tempfile.NamedTemporaryFile(dir=a.out.parent, suffix=".npz", delete=False) as f:
            np.savez(f, params=fit.params(), **vars(fit))
        Path(f.name).replace(a.out)
    except InputError as e:
        print(f"error: {e}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
