"""Texture coordinates: frontal, upright, symmetric, without a flipped triangle.

A Tutte embedding (Tutte 1963) of the whole mesh, which is a disk because eyes and mouth are
filled, is flip-free by construction. Descent on the symmetric Dirichlet energy (Smith and Schaefer
2015), preconditioned by the Laplacian of reweighted stretch (SLIM, Rabinovich et al. 2017) and
stopped short of any flip, then takes the stretch out. Parts that a face texture has little use for
(mouth cavity, ears, back of the head) get a smaller target area.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu


def signed_areas(uv: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return twice the signed area of each triangle."""
    a, b, c = (uv[triangles[:, k]] for k in range(3))
    d, e = b - a, c - a
    return d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]


def rim_loop(triangles: np.ndarray) -> np.ndarray:
    """Return the vertices of the (only) boundary loop in order."""
    directed = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    known = {(int(a), int(b)) for a, b in directed}
    following = {a: b for a, b in known if (b, a) not in known}
    loop = [min(following)]
    while following[loop[-1]] != loop[0]:
        loop.append(following[loop[-1]])
    if len(loop) != len(following):
        raise ValueError("the mesh has more than one boundary loop")
    return np.array(loop)


def tutte(x: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Map the mesh into an ellipse; the rim keeps its lengths."""
    loop = rim_loop(triangles)
    top = int(np.argmax(x[loop, 1] - 10 * np.abs(x[loop, 0])))
    loop = np.roll(loop, -top)
    step = np.linalg.norm(x[loop] - np.roll(x[loop], -1, axis=0), axis=1)
    share = np.r_[0, np.cumsum(step)[:-1]] / step.sum()
    angle = np.pi / 2 + 2 * np.pi * share
    ring = np.stack([0.9 * np.cos(angle), np.sin(angle)], 1)
    edges = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1), axis=0)
    i, j = edges.T
    w = np.ones(len(i))
    n = len(x)
    graph = sp.csr_matrix((np.r_[w, w], (np.r_[i, j], np.r_[j, i])), shape=(n, n))
    laplace = (sp.diags(np.asarray(graph.sum(1)).ravel()) - graph).tocsr()
    free = np.setdiff1d(np.arange(n), loop)
    uv = np.zeros((n, 2))
    uv[loop] = ring
    solve = splu(laplace[free][:, free].tocsc())
    uv[free] = solve.solve(-(laplace[free][:, loop] @ ring))
    return uv


class _Energy:
    """Symmetric Dirichlet energy over reference triangles."""

    def __init__(self, x: np.ndarray, triangles: np.ndarray, scale: np.ndarray) -> None:
        a, b, c = (x[triangles[:, k]] for k in range(3))
        e1 = b - a
        length = np.linalg.norm(e1, axis=1)
        along = ((c - a) * e1).sum(1) / length
        height = np.sqrt(np.maximum(((c - a) ** 2).sum(1) - along**2, 0))
        length, along, height = length * scale, along * scale, height * scale
        # Slivers would make the energy stiff; give them a workable reference shape.
        typical = np.median(length)
        length = np.maximum(length, 0.1 * typical)
        height = np.maximum(height, 0.2 * length)
        self.triangles, self.n = triangles, len(x)
        area = length * height / 2
        self.total = area.sum()
        self.weight = area / area.sum()
        self.inverse = np.zeros((len(triangles), 2, 2))
        self.inverse[:, 0, 0] = 1 / length
        self.inverse[:, 1, 1] = 1 / height
        self.inverse[:, 0, 1] = -along / (length * height)
        inv = self.inverse
        self.hat = np.stack([-(inv[:, 0] + inv[:, 1]), inv[:, 0], inv[:, 1]], 1)

    def jacobian(self, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        t = self.triangles
        edges = np.stack([uv[t[:, 1]] - uv[t[:, 0]], uv[t[:, 2]] - uv[t[:, 0]]], 2)
        j = edges @ self.inverse
        return j, j[:, 0, 0] * j[:, 1, 1] - j[:, 0, 1] * j[:, 1, 0]

    def value(self, uv: np.ndarray) -> float:
        j, det = self.jacobian(uv)
        if det.min() <= 0:
            return np.inf
        f = (j**2).sum((1, 2))
        return float(self.weight @ (f + f / det**2))

    def gradient(self, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient and per-triangle stiffness."""
        j, det = self.jacobian(uv)
        f = (j**2).sum((1, 2))
        cofactor = np.stack(
            [np.stack([j[:, 1, 1], -j[:, 1, 0]], 1), np.stack([-j[:, 0, 1], j[:, 0, 0]], 1)], 1
        )
        g = self.weight[:, None, None] * (
            2 * j * (1 + 1 / det**2)[:, None, None] - 2 * (f / det**3)[:, None, None] * cofactor
        )
        per_corner = np.einsum("tij,tkj->tki", g, self.hat)
        out = np.stack(
            [
                sum(
                    np.bincount(self.triangles[:, k], per_corner[:, k, d], self.n) for k in range(3)
                )
                for d in range(2)
            ],
            1,
        )
        return out, self.weight * (1 + 1 / det**2 + 0.5 * f / det**3)

    def stiffness(self, weight: np.ndarray) -> sp.csc_matrix:
        t = self.triangles
        rows, cols, values = [], [], []
        for p in range(3):
            for q in range(3):
                rows.append(t[:, p])
                cols.append(t[:, q])
                values.append(weight * (self.hat[:, p] * self.hat[:, q]).sum(1))
        h = sp.coo_matrix(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols))),
            shape=(self.n, self.n),
        ).tocsc()
        return (h + 1e-8 * abs(h).max() * sp.identity(self.n)).tocsc()


def unwrap(
    x: np.ndarray, triangles: np.ndarray, mirror: np.ndarray, scale: np.ndarray, steps: int = 60
) -> np.ndarray:
    """Return (n, 2) texture coordinates in [0, 1], v up, with u(mirror) = 1 - u.

    Parameters
    ----------
    x : (n, 3)
        Shape whose lengths are kept as far as possible.
    triangles : (m, 3)
    mirror : (n,)
    scale : (m,)
        Relative size (in length) that each triangle should get.
    """

    def symmetric(uv: np.ndarray) -> np.ndarray:
        return (uv + uv[mirror] * [-1, 1]) / 2

    energy = _Energy(x, triangles, scale)
    uv = symmetric(tutte(x, triangles))
    uv *= np.sqrt(energy.total / (signed_areas(uv, triangles).sum() / 2))
    now = energy.value(uv)
    if not np.isfinite(now):
        raise ValueError("the start of the unwrapping has flipped triangles")
    for k in range(steps):
        gradient, weight = energy.gradient(uv)
        if k % 3 == 0:
            solve = splu(energy.stiffness(weight))
        step = symmetric(-solve.solve(gradient))
        slope = float((gradient * step).sum())
        t = 1.0
        while (then := energy.value(uv + t * step)) > now + 1e-4 * t * slope and t > 1e-8:
            t /= 2
        if t <= 1e-8 or now - then < 1e-5:
            break
        uv, now = uv + t * step, then
    low, high = uv.min(0), uv.max(0)
    margin = 0.005
    size = (high - low).max() / (1 - 2 * margin)
    center = np.array([0.0, (low[1] + high[1]) / 2])
    return (uv - center) / size + 0.5
