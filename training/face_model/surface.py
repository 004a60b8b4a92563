"""From the cage to the fine, clipped, mirror-symmetric triangle mesh.

The right half (x <= 0) is made and then mirrored, so the mirror error is zero by construction:
two levels of Catmull-Clark, the second left out where detail is wasted (ears, scalp, mouth cavity),
triangles, and a cut along a smooth surface ``rim_distance = 0`` that gives a clean rim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from training.face_model.cage import Cage
from training.face_model.clip import clip, triangulate
from training.face_model.makehuman import BaseMesh
from training.face_model.subdivide import Refinement, catmull_clark


@dataclass(frozen=True)
class Surface:
    """The fine mesh as linear functions of MakeHuman's vertices.

    Attributes
    ----------
    position, bulge : csr_matrix (n, 19158)
        As in `Cage`, for the fine vertices.
    offset : (n, 3) float64
        Constant part of positions.
    triangles : (m, 3) int64
        Counter-clockwise from outside.
    mirror : (n,) int64
        Mirror partner of each vertex.
    cage_weights : csr_matrix (n, n_cage)
        Mixing weights over cage vertices, to carry labels.
    part : (m,) of str
        ``skin``, ``eye`` or ``mouth`` of each triangle.
    lips, lids : index loops
        Fine vertices of the mouth's contact line and of the lid margins (right, left).
    """

    position: sp.csr_matrix
    bulge: sp.csr_matrix
    offset: np.ndarray
    triangles: np.ndarray
    mirror: np.ndarray
    cage_weights: sp.csr_matrix
    part: np.ndarray
    lips: np.ndarray
    lids: tuple[np.ndarray, np.ndarray]

    def place(self, base: np.ndarray) -> np.ndarray:
        """Positions (n, 3) for MakeHuman's positions (19158, 3)."""
        return self.displace(base) + self.offset

    def displace(self, base: np.ndarray) -> np.ndarray:
        """Displacements (n, 3) for MakeHuman's displacements (19158, 3)."""
        out = self.position @ base
        out[:, 2] += self.bulge @ base[:, 1]
        return out


def rim_distance(x: np.ndarray) -> np.ndarray:
    """Signed function (dm) that is positive on the part of the head that is kept.

    z must exceed a smooth maximum of three lines in the side view: behind the ears, over the crown
    and below the jaw's edge.
    """
    y = x[..., 1]
    lines = np.stack([np.full_like(y, 0.13), 0.13 + 0.55 * (y - 7.35), 0.40 + 0.78 * (6.80 - y)])
    softness = 0.10
    top = lines.max(0)
    return x[..., 2] - top - softness * np.log(np.exp((lines - top) / softness).sum(0))


def is_coarse(center: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Tell which level-1 faces stay undivided (dm, MakeHuman's neutral shape)."""
    x, y, z = center.T
    ear = (np.abs(x) > 0.735) & (y > 6.78) & (y < 7.42) & (z < 0.75)
    scalp = (z < 0.70 + 0.35 * np.maximum(y - 7.9, 0)) | (y > 8.15)
    return ear | scalp | inside


def build_surface(base: BaseMesh, cage: Cage) -> Surface:
    """Subdivide, thin, triangulate, clip and mirror the cage."""
    cage_x = cage.position @ base.vertices + cage.offset
    cage_x[:, 2] += cage.bulge @ base.vertices[:, 1]
    one = catmull_clark(cage.faces, len(cage_x))
    two = catmull_clark([tuple(q) for q in one.quads], one.operator.shape[0])
    weights = (two.operator @ one.operator).tocsr()
    x = weights @ cage_x
    middle = np.abs(x[:, 0]) < 1e-7

    # Level-1 faces of the right half; the mouth's back wall and the like stay undivided.
    center = x[one.quads].mean(1)
    right = center[:, 0] < 0
    part = cage.part[one.parent]
    near_lips = np.isin(one.quads, one.quads[np.isin(one.quads, cage.lips).any(1)]).any(1)
    coarse = is_coarse(center, (part == "mouth") & ~near_lips)
    half = Refinement(two.operator, two.quads[np.repeat(right, 4)], two.parent)
    triangles, owner = triangulate(one.quads[right], coarse[right], half, x)
    part = part[right][owner]
    triangles, source, new, moved = clip(triangles, rim_distance(x), middle)
    part = part[source]

    # Rows of moved and new vertices.
    mixes = sp.identity(len(x), format="lil")
    for i, (j, t) in moved.items():
        mixes[i, i], mixes[i, j] = 1 - t, t
    extra = sp.lil_matrix((len(new), len(x)))
    for k, (i, j, t) in enumerate(new):
        extra[k, i], extra[k, j] = 1 - t, t
    weights_right = (sp.vstack([mixes, extra]).tocsr() @ weights).tocsr()
    middle = np.r_[middle, [middle[i] and middle[j] for i, j, _ in new]].astype(bool)

    keep = largest_component(triangles, weights_right.shape[0])
    triangles, part = triangles[keep], part[keep]
    used, triangles = np.unique(triangles, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    weights_right, middle = weights_right[used], middle[used]

    # Mirror: vertices off the middle get a partner behind all others.
    count = len(middle)
    partner = np.arange(count)
    partner[~middle] = count + np.arange((~middle).sum())
    cage_mirror = cKDTree(cage_x).query(cage_x * [-1, 1, 1])[1]
    weights_all = sp.vstack([weights_right, weights_right[~middle][:, cage_mirror]]).tocsr()

    # Where each vertex of the unclipped level-2 mesh has gone (-1: cut away).
    final = np.full(len(x), -1)
    inside = used < len(x)
    final[used[inside]] = np.flatnonzero(inside)
    across = cKDTree(x).query(x * [-1, 1, 1])[1]
    left = x[:, 0] > 1e-7
    gone = final[across[left]]
    final[left] = np.where(gone >= 0, partner[gone], -1)
    loops = [final[_refine_loop(c, one, two)] for c in (cage.lips, *cage.lids)]
    return Surface(
        position=(weights_all @ cage.position).tocsr(),
        bulge=(weights_all @ cage.bulge).tocsr(),
        offset=weights_all @ cage.offset,
        triangles=np.concatenate([triangles, partner[triangles][:, ::-1]]),
        mirror=np.r_[partner, np.flatnonzero(~middle)],
        cage_weights=weights_all,
        part=np.r_[part, part],
        lips=loops[0],
        lids=(loops[1], loops[2]),
    )


def _refine_loop(loop: list[int], *levels: Refinement) -> np.ndarray:
    """Follow a closed loop of edges to the finer levels."""
    for level in levels:
        points: dict[int, set[int]] = {}
        for v, e1, _, e2 in level.quads:
            points.setdefault(int(v), set()).update((int(e1), int(e2)))
        finer = []
        for a, b in zip(loop, loop[1:] + loop[:1], strict=True):
            (mid,) = points[a] & points[b]
            finer += [a, mid]
        loop = finer
    return np.array(loop)


def largest_component(triangles: np.ndarray, n: int) -> np.ndarray:
    """Return the mask of the triangles in the largest connected piece."""
    a = np.r_[triangles[:, 0], triangles[:, 1]]
    b = np.r_[triangles[:, 1], triangles[:, 2]]
    _, label = connected_components(sp.coo_matrix((np.ones(len(a)), (a, b)), shape=(n, n)))
    label = label[triangles[:, 0]]
    return label == np.bincount(label).argmax()
