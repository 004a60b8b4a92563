"""Measure a regressor on rendered heads, of which everything is known (`training.render_heads`)."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.errors import InputError
from tddfa.params import N_CAMERA
from tddfa.roi import parse_roi_box_from_bbox, parse_roi_box_from_landmark
from training.dataset.batch import CANVAS
from training.dataset.packed import open_packed
from training.evaluation import metrics
from training.evaluation.benchmark_sets import Detector, best_box
from training.evaluation.openings import compare_openings
from training.labels.pseudo_labels import angles

Array = npt.NDArray[np.floating]

YAWS = (0.0, 30.0, 60.0, 75.0, 96.0)
PITCHES = (-50.0, -30.0, -15.0, 15.0, 30.0, 50.0)
ROLLS = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 181.0)
# Degrees of roll up to which a head counts as upright, and of yaw for the slope of its pitch.
UPRIGHT, TURNED = 30.0, 60.0
ENLARGED = 2  # a detector is shown heads so many times their size, as it is crops of profiles


@dataclass(frozen=True)
class RenderedSet:
    """n rendered heads with their truth.

    Attributes
    ----------
    images : ndarray, shape (n, 168, 168, 3), uint8
    rotation : ndarray, shape (n, 3, 3), float32
        Of the face model, y up.
    points : ndarray, shape (n, 3, 68), float32
        Landmarks in pixels, y down.
    """

    images: npt.NDArray[np.uint8]
    rotation: npt.NDArray[np.float32]
    points: npt.NDArray[np.float32]


def load_rendered(folder: Path) -> RenderedSet:
    """Open a folder of `training.render_heads`.

    Raises
    ------
    InputError
        If it is none, or not finished.
    """
    faces = open_packed(folder)
    try:
        with np.load(folder / "truth.npz", allow_pickle=False) as archive:
            rotation, points = archive["rotation"], archive["landmarks"].copy()
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"'{folder}': expected truth.npz of training.render_heads") from error
    points[:, 1] = CANVAS - points[:, 1]
    return RenderedSet(faces.images, rotation, points - np.array([[0.5], [0.5], [0]], np.float32))


def rotation_of(params: Array) -> Array:
    """Return the rotations (n, 3, 3) of parameters (n, 62)."""
    linear = params[:, :N_CAMERA].reshape(-1, 3, 4)[:, :, :3].astype(np.float64)
    u, _, vt = np.linalg.svd(linear)
    sign = np.linalg.det(u @ vt)
    return np.asarray((u * np.stack([np.ones_like(sign)] * 2 + [sign], 1)[:, None]) @ vt)


def angle_between(first: Array, second: Array) -> Array:
    """Return the angle between rotations (n, 3, 3), (n,) in degrees."""
    trace = np.einsum("nij,nij->n", first, second)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def roll_of(rotation: Array) -> Array:
    """Return how much the model's vertical axis leans in the picture, (n,), -180 to 180."""
    return np.degrees(np.arctan2(-rotation[:, 0, 1], rotation[:, 1, 1]))


def measure_rendered(
    aligner: Aligner, faces: RenderedSet, detector: Detector | None = None
) -> dict[str, Any]:
    """Return errors of rotation and landmarks by bins of the true pose.

    With a detector, ROIs are its own; heads that it misses count as such and are left out else.
    Pitch and yaw are those of the direction in which the face looks, whatever its roll: the slope
    is that of the regression of what is found on what is true, 1 where nothing is compressed.
    """
    rois, seen = [], []
    for i, points in enumerate(faces.points):
        roi = parse_roi_box_from_landmark(points)
        if detector is not None:
            size = (ENLARGED * CANVAS,) * 2
            shown = cv2.resize(faces.images[i], size, interpolation=cv2.INTER_CUBIC)
            boxes = detector(np.asarray(shown, np.uint8)).copy()
            boxes[:, :4] /= ENLARGED
            box = best_box(points, boxes)
            seen.append(box is not None)
            roi = roi if box is None else parse_roi_box_from_bbox(box)
        rois.append([float(edge) for edge in roi])
    used = np.flatnonzero(seen) if detector is not None else np.arange(len(rois))
    if not len(used):
        raise InputError("--renders: expected heads that are found")
    params = np.concatenate([aligner.align_rois(faces.images[i], [rois[i]]) for i in used.tolist()])
    found = np.concatenate(
        [
            np.asarray(aligner.recon_vers([p], [rois[i]]))
            for p, i in zip(params, used.tolist(), strict=True)
        ]
    )
    truth, rotation = faces.points[used], faces.rotation[used].astype(np.float64)
    estimate = rotation_of(params)
    error = angle_between(estimate, rotation)
    nme = metrics.nme(found, truth, metrics.box_size(truth)).per_face
    roll = np.abs(roll_of(rotation))
    upright = roll <= UPRIGHT
    yaw, pitch = angles(rotation)
    own_yaw, own_pitch = angles(estimate)
    ahead = upright & (np.abs(yaw) <= TURNED)
    report: dict[str, Any] = {"heads": len(faces.points)}
    if detector is not None:
        all_yaw = np.abs(angles(faces.rotation)[0])
        hits = np.array(seen, float)
        report["found_by_yaw"] = _by_bin(all_yaw, YAWS, hits, np.mean)
        report["found_by_roll"] = _by_bin(np.abs(roll_of(faces.rotation)), ROLLS, hits, np.mean)
    report |= {
        "rotation_error_median": float(np.median(error)),
        "nme_median": float(np.median(nme)),
        "nme_mean": float(nme.mean()),
        "upright": int(upright.sum()),
        "upright_rotation_error_median": _median(error[upright]),
        "upright_nme_median": _median(nme[upright]),
        "upright_nme_mean": float(nme[upright].mean()) if upright.any() else float("nan"),
        "upright_rotation_error_by_yaw": _by_bin(np.abs(yaw), YAWS, error, np.median, upright),
        "upright_nme_by_yaw": _by_bin(np.abs(yaw), YAWS, nme, np.median, upright),
        "upright_rotation_error_by_pitch": _by_bin(pitch, PITCHES, error, np.median, upright),
        "rotation_error_by_roll": _by_bin(roll, ROLLS, error, np.median),
        "nme_by_roll": _by_bin(roll, ROLLS, nme, np.median),
        "upright_pitch_slope": slope(pitch[ahead], own_pitch[ahead]),
        "upright_yaw_slope": slope(yaw[ahead], own_yaw[ahead]),
    }
    frontal = ahead & (np.abs(yaw) <= UPRIGHT)
    if frontal.any():
        report["openings"] = asdict(compare_openings(found[frontal], truth[frontal]))
    return report


def slope(truth: Array, found: Array) -> float:
    """Return the slope of the regression of `found` on `truth`, NaN if it has none.

    Examples
    --------
    >>> round(slope(np.array([-30.0, 0, 30]), np.array([-24.0, 1, 26])), 3)
    0.833
    """
    away = truth - truth.mean() if len(truth) else truth
    square = float(away @ away)
    return float(away @ found) / square if square > 0 else float("nan")


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _by_bin(
    at: Array,
    edges: tuple[float, ...],
    values: Array,
    reduce: Any,
    mask: npt.NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    out = {}
    for low, high in pairwise(edges):
        inside = (at >= low) & (at < high)
        inside = inside if mask is None else inside & mask
        name = f"{low:.0f}..{min(high, 180):.0f}"
        out[name] = float(reduce(values[inside])) if inside.any() else float("nan")
    return out
