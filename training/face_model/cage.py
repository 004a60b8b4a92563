r"""The control cage: MakeHuman's quads of the face, eyes and mouth filled in.

The body mesh is open at the lids (28 vertices each) and goes on into the mouth. Both are closed by
a grid between the upper and the lower half of a loop, so that the surface has one rim only::

        u0 --- u1 --- u2 --- u3          row t = 0: the upper half of the loop
       /  \     |      |     /  \
      c -- p1 -- p2 -- p3 -- c'          p = (1 - t) u + t l, pushed in or out
       \  /     |      |     \  /
        l0 --- l1 --- l2 --- l3          row t = 1: the lower half
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from training.face_model.makehuman import N_BASE_VERTICES, BaseMesh

CHIN_CUT = 5.9  # dm; quads above this height are candidates, the rim is cut later
MOUTH_RINGS = 3  # rings of the body's mouth cavity that are kept behind the lips
PATCH_ROWS = 4
BAG_DEPTH = 0.20  # dm by which the middle of the mouth's back wall lies behind its border
EYE_BULGE = 0.56  # z gained per y of lid opening; fitted to the eyeball (flat when shut)


@dataclass(frozen=True)
class Cage:
    """Polygons and how their vertices follow from MakeHuman's.

    Attributes
    ----------
    faces : list of tuple
        Triangles and quads, counter-clockwise from outside.
    position, bulge : csr_matrix (n, 19158)
        xyz = position @ base, then z += bulge @ base's y.
    offset : (n, 3)
        Added to positions (not to displacements).
    part : (n_faces,) of str
        ``skin``, ``eye`` or ``mouth``.
    lips, lids : loops of cage vertices
        The mouth's contact line and the two lid margins (right, left), closed.
    """

    faces: list[tuple[int, ...]]
    position: sp.csr_matrix
    bulge: sp.csr_matrix
    offset: np.ndarray
    part: np.ndarray
    lips: list[int]
    lids: list[list[int]]


def uv_islands(base: BaseMesh) -> np.ndarray:
    """Return per body quad the label of its UV island."""
    n = int(base.body_uv.max()) + 1
    i, j = base.body_uv[:, :3].ravel(), base.body_uv[:, 1:].ravel()
    _, label = connected_components(sp.coo_matrix((np.ones(len(i)), (i, j)), shape=(n, n)))
    return label[base.body_uv[:, 0]]


def boundary_loops(faces: list[tuple[int, ...]]) -> list[list[int]]:
    """Return the boundary loops, each in the direction of its faces' edges."""
    edges = {(f[k], f[(k + 1) % len(f)]) for f in faces for k in range(len(f))}
    following = {a: b for a, b in edges if (b, a) not in edges}
    loops, seen = [], set()
    for first in sorted(following):
        if first in seen:
            continue
        loop = [first]
        while following[loop[-1]] != first:
            loop.append(following[loop[-1]])
        seen.update(loop)
        loops.append(loop)
    return loops


def _quads_of_the_face(base: BaseMesh) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return quads, the number of mouth ring (0 = skin) of each, and the lip loop."""
    island = uv_islands(base)
    center = base.vertices[base.body].mean(1)
    face = island[np.argmax(center[:, 1])]
    skin = base.body[island == face]
    loops = boundary_loops([tuple(q) for q in skin])
    lips = next(c for c in loops if len(c) == 38)
    mouth = next(
        k
        for k in np.unique(island)
        if set(lips) <= set(np.unique(base.body[island == k]).tolist()) and k != face
    )
    body = island[np.argmin(center[:, 1])]
    neck = base.body[(island == body) & (center[:, 1] > CHIN_CUT)]
    reached, rest, rings = set(lips), [tuple(q) for q in base.body[island == mouth]], []
    for _ in range(MOUTH_RINGS):
        ring = [q for q in rest if reached.intersection(q)]
        rest = [q for q in rest if not reached.intersection(q)]
        reached.update(v for q in ring for v in q)
        rings.append(np.array(ring))
    quads = np.concatenate([skin, neck, *rings])
    sizes = [len(skin) + len(neck), *map(len, rings)]
    return quads, np.repeat(np.arange(MOUTH_RINGS + 1), sizes), lips


class _Builder:
    """Collects patch vertices as rows over MakeHuman's vertices."""

    def __init__(self, ids: np.ndarray) -> None:
        self.rows: list[dict[int, float]] = [{int(v): 1.0} for v in ids]
        self.bulge: list[dict[int, float]] = [{} for _ in ids]
        self.offset: list[list[float]] = [[0.0, 0.0, 0.0] for _ in ids]

    def add(self, mix: dict[int, float], bulge: dict[int, float], depth: float) -> int:
        self.rows.append(mix)
        self.bulge.append(bulge)
        self.offset.append([0.0, 0.0, -depth])
        return len(self.rows) - 1

    def matrix(self, rows: list[dict[int, float]]) -> sp.csr_matrix:
        out = sp.lil_matrix((len(rows), N_BASE_VERTICES))
        for i, row in enumerate(rows):
            for j, w in row.items():
                out[i, j] += w
        return out.tocsr()


def _fill(
    loop: list[int], base_ids: np.ndarray, x: np.ndarray, into: _Builder, bulge: float, depth: float
) -> list[tuple[int, ...]]:
    """Close ``loop`` (cage indices, directed as its faces' edges) by a grid; return its faces.

    An eye's loop is cut at its two corners. The mouth's has its middle vertices 19 steps apart, an
    odd number, so that a symmetric cut runs through two edges: each end of the grid is a polygon.
    """
    n = len(loop) // 2
    pointed = bool((np.abs(x[loop, 0]) > 1e-9).all())
    if pointed:
        ends = max(range(n), key=lambda k: abs(x[loop[k], 0] - x[loop[(k + n)], 0]))
        loop = loop[ends:] + loop[:ends]
        one, two = loop[: n + 1], [loop[0], *loop[: n - 1 : -1]]
    else:
        turn = next(k for k in range(2 * n) if abs(x[loop[k], 0]) < 1e-9) + (n + 1) // 2
        loop = loop[turn % (2 * n) :] + loop[: turn % (2 * n)]
        one, two = loop[:n], loop[: n - 1 : -1]
    upper, lower = (one, two) if x[one, 1].mean() > x[two, 1].mean() else (two, one)
    last = len(upper) - 1
    rows = [upper]
    for r in range(1, PATCH_ROWS):
        t = r / PATCH_ROWS
        row = [upper[0]]
        for c in range(1, last):
            u, v = int(base_ids[upper[c]]), int(base_ids[lower[c]])
            k, s = 4 * t * (1 - t), np.sin(np.pi * c / last)
            row.append(into.add({u: 1 - t, v: t}, {u: k * bulge, v: -k * bulge}, k * s * depth))
        rows.append([*row, upper[-1]])
    rows.append(lower)
    faces = []
    for a, b in pairwise(rows):
        for c in range(0 if pointed else 1, last if pointed else last - 1):
            cell = tuple(dict.fromkeys((a[c], b[c], b[c + 1], a[c + 1])))
            faces.append(cell)
    if not pointed:
        faces.append((upper[0], *[r[1] for r in [[lower[0]] * 2, *rows[::-1]]]))
        faces.append((*[r[last - 1] for r in rows], lower[-1], upper[-1]))
    taken = set(zip(loop, loop[1:] + loop[:1], strict=True))
    if any((f[k], f[(k + 1) % len(f)]) in taken for f in faces for k in range(len(f))):
        faces = [f[::-1] for f in faces]
    return faces


def build_cage(base: BaseMesh) -> Cage:
    """Assemble the cage from MakeHuman's base mesh."""
    quads, ring, lips = _quads_of_the_face(base)
    ids = np.unique(quads)
    local = np.full(N_BASE_VERTICES, -1)
    local[ids] = np.arange(len(ids))
    x = base.vertices[ids]
    faces: list[tuple[int, ...]] = [tuple(int(v) for v in q) for q in local[quads]]
    part = np.where(ring > 0, "mouth", "skin").astype("<U5").tolist()
    loops = boundary_loops(faces)
    lids = sorted((c for c in loops if len(c) == 28), key=lambda c: x[c, 0].mean())
    mouth = next(c for c in loops if len(c) == 38)
    into = _Builder(ids)
    for loop in lids:
        new = _fill(loop, ids, x, into, EYE_BULGE, 0.0)
        faces += new
        part += ["eye"] * len(new)
    new = _fill(mouth, ids, x, into, 0.0, BAG_DEPTH)
    faces += new
    part += ["mouth"] * len(new)
    return Cage(
        faces=faces,
        position=into.matrix(into.rows),
        bulge=into.matrix(into.bulge),
        offset=np.array(into.offset),
        part=np.array(part),
        lips=[int(local[v]) for v in lips],
        lids=lids,
    )
