"""Choose the 68 key points by agreement with another aligner, and report the offsets.

    python -m training.face_model.keypoints MODEL.npz mp_faces.npz ../shared

AFLW2000's ground truth is defined by vertices of the Basel model; where ours sit elsewhere on the
face, the systematic offset is a floor under the error measured there. The reference's mb05 follows
that definition. The model is fitted to MediaPipe's points on photographs (and on the same faces
turned further by drawing the textured mesh); each key point moves to the vertex whose projection is
nearest to mb05's point on average, within a few millimeters of where anatomy puts it. Head turns
of 0-30, 30-60 and 60-90 degrees count alike. ``landmarks.json`` is updated.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from Sim3DR.rasterize import rasterize
from tddfa import TDDFA, load_config
from tddfa.fit import FaceFit, LandmarkFitter, load_landmark_basis
from tddfa.ibug68 import MIRROR
from tddfa.params import split_params
from tddfa.reconstruct import image_cameras, reconstruct_vertices
from training.face_model.landmarks import load_table, save_table
from training.face_model.rendering import rotation

log = logging.getLogger(__name__)
ROOT = Path(__file__).parents[2]
ROI = (24.0, 24.0, 144.0, 144.0)  # the detector's ROI inside a 168-pixel crop
TURNS = ((30, 60), (60, 90))
# How far (mm) a point may move: jaw, brows, nose, eyes, mouth.
REACH = np.repeat([22.0, 13.0, 10.0, 5.0, 6.0], [17, 10, 9, 12, 20])


@dataclass(frozen=True)
class Views:
    """Projected cameras and coefficients of n faces with the other aligner's points.

    Attributes
    ----------
    camera : (n, 2, 3)
        s·R[:2], y up.
    shift : (n, 2)
        Translation, y up.
    coefficients : (n, 50)
    points : (n, 68, 2)
        The other aligner's points, y up.
    size : (n,)
        Square root of the area of those points' box.
    yaw : (n,)
        Degrees, positive when the left cheek goes away from the viewer.
    """

    camera: np.ndarray
    shift: np.ndarray
    coefficients: np.ndarray
    points: np.ndarray
    size: np.ndarray
    yaw: np.ndarray

    def select(self, rows: np.ndarray) -> Views:
        """Return some of the faces."""
        return Views(*(v[rows] for v in vars(self).values()))


def aligner(shared: Path) -> TDDFA:
    """Return the reference's mb05."""
    return TDDFA(**vars(load_config(ROOT / "configs/reference_mb05.yml", shared / "upstream")))


def predict(net: TDDFA, crops: np.ndarray) -> np.ndarray:
    """Return (n, 68, 2) points, y up, of 168-pixel crops, in their pixels."""
    out = []
    for i in range(0, len(crops), 256):
        inner = crops[i : i + 256, 24:144, 24:144].astype(np.float32)
        batch = ((inner - 127.5) / 128).transpose(0, 3, 1, 2)
        params = split_params(net.regress(np.ascontiguousarray(batch)))
        boxes = np.tile(ROI, (len(batch), 1))
        cameras = image_cameras(params, boxes, 120)
        out.append(reconstruct_vertices(net.bfm.sparse, params, cameras)[:, :2])
    return np.concatenate(out).transpose(0, 2, 1) * [1, -1]


def turned(
    model: dict[str, np.ndarray], fit: FaceFit, pictures: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn fitted faces on in the direction they look; return crops, rotations, shifts (y up)."""
    rng = np.random.default_rng(seed)
    u = model["u"].reshape(-1, 3)
    basis = np.concatenate([model["w_shp"], model["w_exp"]], 1).astype(np.float32)
    crops, rotations, shifts = [], [], []
    for k, picture in enumerate(pictures):
        a = np.r_[fit.shape[k], fit.expression[k]].astype(np.float32)
        x = u + (basis @ a).reshape(-1, 3)
        p = fit.scale[k] * x @ fit.rotation[k].T
        shift = fit.translation[k] * [1, -1]
        at = (p[:, :2] + shift) * [1, -1]
        color = np.stack(
            [
                map_coordinates(c / 255.0, at[:, ::-1].T, order=1, mode="nearest")
                for c in picture.transpose(2, 0, 1)
            ],
            1,
        )
        yaw = np.degrees(np.arctan2(fit.rotation[k, 0, 2], fit.rotation[k, 2, 2]))
        low, high = TURNS[k % 2]
        goal = rng.uniform(low, high) * (1 if yaw >= 0 else -1)
        turn = rotation(goal - yaw)
        r = turn @ fit.rotation[k]
        q = fit.scale[k] * x @ r.T
        box = q[model["keypoints"], :2]
        t = np.array([84.0, -84.0]) - (box.max(0) + box.min(0)) / 2 - [0, 4]
        # Fill the surroundings with a blurred version of the picture.
        back = cv2.GaussianBlur(picture, (0, 0), 12)
        v = np.column_stack([(q[:, :2] + t) * [1, -1], q[:, 2]])
        crops.append(rasterize(v, model["tri"], color, np.ascontiguousarray(back)))
        rotations.append(r)
        shifts.append(t)
    return np.array(crops), np.array(rotations), np.array(shifts)


def gather(
    model: dict[str, np.ndarray],
    path: Path,
    points: Path,
    shared: Path,
    count: int,
    check: Path | None = None,
) -> Views:
    """Fit, turn, predict; keep faces on which both roughly agree."""
    with np.load(points) as f:
        names, marks = f["names"], f["points"]
    marks = marks.astype(float)
    fitter = LandmarkFitter(load_landmark_basis(path))
    fit = fitter.fit(marks)
    yaw = np.degrees(np.arctan2(fit.rotation[:, 0, 2], fit.rotation[:, 2, 2]))
    rng, rows = np.random.default_rng(0), []
    good = fit.residual < 0.015
    for low in range(-60, 60, 5):
        bin_ = np.flatnonzero(good & (yaw >= low) & (yaw < low + 5))
        rows.append(rng.permutation(bin_)[: count // 24])
    rows_all = np.concatenate(rows)
    pictures = np.array([cv2.imread(str(shared / "faces" / names[i])) for i in rows_all])
    net = aligner(shared)
    part = FaceFit(**{k: v[rows_all] for k, v in vars(fit).items()})

    facing = np.flatnonzero(np.abs(yaw[rows_all]) < 28)[: count // 2]
    side = FaceFit(**{k: v[facing] for k, v in vars(part).items()})
    crops, rotations, shifts = turned(model, side, pictures[facing], seed=1)
    if check is not None:
        cv2.imwrite(str(check), np.hstack(list(crops[:8])))

    points_68 = np.concatenate([predict(net, pictures), predict(net, crops)])
    scale = np.r_[part.scale, side.scale]
    r = np.concatenate([part.rotation, rotations])
    size = np.sqrt(np.ptp(points_68, axis=1).prod(axis=1))
    views = Views(
        scale[:, None, None] * r[:, :2],
        np.concatenate([part.translation * [1, -1], shifts]),
        np.concatenate([np.hstack([f.shape, f.expression]) for f in (part, side)]),
        points_68,
        size,
        np.degrees(np.arctan2(r[:, 0, 2], r[:, 2, 2])),
    )
    error = np.linalg.norm(project(model, views, model["keypoints"]) - points_68, axis=2).mean(1)
    log.info("%d faces, %d of them turned", len(scale), len(crops))
    return views.select(error / size < 0.09)


def project(model: dict[str, np.ndarray], views: Views, vertices: np.ndarray) -> np.ndarray:
    """Return (n, k, 2) projections of some vertices, y up."""
    u = model["u"].reshape(-1, 3)[vertices]
    w = np.concatenate([model["w_shp"], model["w_exp"]], 1).reshape(-1, 3, 50)[vertices]
    x = u + np.einsum(
        "kij,nj->nki", w.astype(np.float32), views.coefficients.astype(np.float32), optimize=True
    )
    return x @ views.camera.transpose(0, 2, 1) + views.shift[:, None]


def weights(yaw: np.ndarray) -> np.ndarray:
    """Equal mass for |yaw| in 0-30, 30-60 and 60-90 degrees."""
    bins = np.digitize(np.abs(yaw), [30, 60])
    return 1 / np.bincount(bins, minlength=3)[bins] / 3


def report(
    model: dict[str, np.ndarray], views: Views, keypoints: np.ndarray, title: str
) -> np.ndarray:
    """Log distances by turn; return the mean offset of each point in % of the box."""
    d = (project(model, views, keypoints) - views.points) / views.size[:, None, None] * 100
    # Left-looking faces are mirrored, so that near and far side do not cancel.
    flip = views.yaw < 0
    d[flip] = d[flip][:, MIRROR] * [-1, 1]
    for low, high in ((0, 15), (15, 30), (30, 45), (45, 60), (60, 75), (75, 91)):
        m = (np.abs(views.yaw) >= low) & (np.abs(views.yaw) < high)
        log.info(
            "%s |yaw| %2d-%2d: n %4d, mean distance %.2f %%, systematic %.2f %%",
            title,
            low,
            high,
            m.sum(),
            np.linalg.norm(d[m], axis=2).mean(),
            np.linalg.norm(d[m].mean(0), axis=1).mean(),
        )
    w = weights(views.yaw)
    return np.linalg.norm((w[:, None, None] * d).sum(0) / w.sum(), axis=1)


def choose(
    model: dict[str, np.ndarray], views: Views, start: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """Return the vertices that agree best, exactly symmetric."""
    u, mirror = model["u"].reshape(-1, 3), model["mirror"]
    tree = cKDTree(u)
    rng = np.random.default_rng(0)
    w = weights(views.yaw)
    sample = views.select(rng.choice(len(w), min(1200, len(w)), p=w / w.sum()))
    middle = mirror == np.arange(len(u))

    def cost(vertices: np.ndarray, k: int) -> np.ndarray:
        out = []
        for i in range(0, len(vertices), 200):
            p = project(model, sample, vertices[i : i + 200]) - sample.points[:, k, None]
            out.append((np.linalg.norm(p, axis=2) / sample.size[:, None]).mean(0))
        return np.concatenate(out)

    out = start.copy()
    for k in range(68):
        m = MIRROR[k]
        if m < k:
            continue
        near = np.array(tree.query_ball_point(u[start[k]], REACH[k]))
        near = near[allowed[near]]
        if m == k:
            near = near[middle[near]]
        elif len(near) > 500:
            near = np.r_[rng.permutation(near)[:500], start[k]]
        total = cost(near, k) + (cost(mirror[near], m) if m != k else 0)
        out[k] = near[np.argmin(total)]
        out[m] = mirror[out[k]]
    return out


def main() -> None:
    """Command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    p = argparse.ArgumentParser(description="Choose key points by agreement with mb05.")
    p.add_argument("model", type=Path)
    p.add_argument("points", type=Path, help="from training.face_model.mediapipe_points")
    p.add_argument("shared", type=Path, help="folder with faces/ and upstream/")
    p.add_argument("--count", type=int, default=3000)
    p.add_argument("--check", type=Path, help="write some turned faces to look at")
    a = p.parse_args()
    with np.load(a.model) as f:
        model = {k: f[k] for k in f.files}
    table = load_table()
    views = gather(model, a.model, a.points, a.shared, a.count, a.check)
    names = list(model["region_names"])
    allowed = model["region"] != names.index("mouth_inside")
    before = report(model, views, table.anatomical, "anatomy ")
    chosen = choose(model, views, table.anatomical, allowed)
    after = report(model, views, chosen, "agreement")
    u = model["u"].reshape(-1, 3)
    moved = np.linalg.norm(u[chosen] - u[table.anatomical], axis=1)
    log.info("point: mean offset before, after (%% of the box), moved (mm)")
    for k in range(68):
        log.info("%2d: %.2f %.2f %.1f", k, before[k], after[k], moved[k])
    log.info(
        "all: %.2f %.2f %.1f; %d distinct",
        before.mean(),
        after.mean(),
        moved.mean(),
        len(set(chosen.tolist())),
    )
    save_table(replace(table, keypoints=chosen))


if __name__ == "__main__":
    main()
