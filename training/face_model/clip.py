"""Triangulate a partly divided quad mesh and cut it along a level set, without slivers."""

from __future__ import annotations

import numpy as np

from training.face_model.subdivide import Refinement

SNAP = 0.3  # a vertex within this part of a cut edge moves onto the cut: no slivers


def triangulate(
    quads: np.ndarray, coarse: np.ndarray, fine: Refinement, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Triangulate; return triangles over the fine level and the level-1 face of each.

    An undivided face keeps its four corners; where neighbors are divided, their edge points are
    met by a fan around the face's own point, so that no T-junction is left.
    """
    children = fine.quads.reshape(len(quads), 4, 4)
    points = children[:, :, 1]  # the point of the edge that follows each corner
    used = np.zeros(fine.operator.shape[0], bool)
    used[points[~coarse]] = True
    split = coarse & used[points].any(1)
    out, parent = [], []
    whole = np.flatnonzero(coarse & ~split)
    squares = np.concatenate([quads[whole], fine.quads[np.repeat(~coarse, 4)]])
    owner = np.r_[whole, np.repeat(np.flatnonzero(~coarse), 4)]
    a, b, c, d = squares.T
    diagonal = np.linalg.norm(x[a] - x[c], axis=1) <= np.linalg.norm(x[b] - x[d], axis=1) + 1e-9
    first = np.where(diagonal[:, None], squares[:, [0, 1, 2]], squares[:, [0, 1, 3]])
    second = np.where(diagonal[:, None], squares[:, [0, 2, 3]], squares[:, [1, 2, 3]])
    out += [first, second]
    parent += [owner, owner]
    for f in np.flatnonzero(split):
        ring = []
        for k in range(4):
            ring.append(quads[f, k])
            if used[points[f, k]]:
                ring.append(points[f, k])
        hub = children[f, 0, 2]
        fan = [(hub, ring[k], ring[(k + 1) % len(ring)]) for k in range(len(ring))]
        out.append(np.array(fan))
        parent.append(np.full(len(fan), f))
    return np.concatenate(out), np.concatenate(parent)


def clip(
    triangles: np.ndarray, f: np.ndarray, middle: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, float]], dict[int, tuple[int, float]]]:
    """Cut triangles at f = 0.

    Returns triangles, the old triangle of each, the new vertices as (i, j, t) mixes
    (1 - t) i + t j, numbered on from ``len(f)``, and the moved vertices i -> (j, t).
    """
    f = f.copy()
    edges = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1), axis=0)
    cut = edges[(f[edges[:, 0]] > 0) != (f[edges[:, 1]] > 0)]
    moved: dict[int, tuple[int, float]] = {}
    nearest: dict[int, tuple[float, int]] = {}
    for i, j in cut:
        for p, q in ((i, j), (j, i)):
            t = f[p] / (f[p] - f[q])
            # A vertex on the mirror plane may move only within it.
            if t < SNAP and (middle[q] or not middle[p]):
                nearest[p] = min(nearest.get(p, (1.0, -1)), (t, q))
    for p, (t, q) in sorted(nearest.items(), key=lambda kv: kv[1][0]):
        if q not in moved:
            moved[int(p)] = (int(q), float(t))
    f[list(moved)] = 0.0
    new: list[tuple[int, int, float]] = []
    known: dict[tuple[int, int], int] = {}

    def crossing(i: int, j: int) -> int:
        key = (min(i, j), max(i, j))
        if key not in known:
            known[key] = len(f) + len(new)
            new.append((key[0], key[1], float(f[key[0]] / (f[key[0]] - f[key[1]]))))
        return known[key]

    sign = np.sign(f)[triangles]
    keep = (sign >= 0).all(1) & (sign > 0).any(1)
    out, parent = [triangles[keep]], [np.flatnonzero(keep)]
    for k in np.flatnonzero((sign > 0).any(1) & (sign < 0).any(1)):
        polygon: list[int] = []
        for a, b in zip(triangles[k], np.roll(triangles[k], -1), strict=True):
            if f[a] >= 0:
                polygon.append(int(a))
            if f[a] * f[b] < 0:
                polygon.append(crossing(int(a), int(b)))
        fan = [(polygon[0], polygon[i], polygon[i + 1]) for i in range(1, len(polygon) - 1)]
        out.append(np.array(fan).reshape(-1, 3))
        parent.append(np.full(len(fan), k))
    return np.concatenate(out), np.concatenate(parent), new, moved
