"""Scaled orthographic pose of known points: p ~ s·R[:2]·x + t, for many faces at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class PointMoments:
    """Weighted sums over n faces' points: of model and picture points, and of their products."""

    model: FloatArray
    picture: FloatArray
    model_model: FloatArray
    model_picture: FloatArray


def solve_pose(
    moments: PointMoments, rotation: FloatArray | None
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
