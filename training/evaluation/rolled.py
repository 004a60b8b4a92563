"""Annotated faces rolled in the picture: what a regressor makes of them, given their ROI."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.ibug68 import INNER
from tddfa.picture import ImageArray
from tddfa.roi import parse_roi_box_from_landmark
from training.evaluation import metrics
from training.evaluation.benchmark_sets import LandmarkSet, read_picture

Array = npt.NDArray[np.floating]

ROLLS = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0)
LEAST_SIDE = 60.0  # pixels of a face's ROI
UPRIGHT = 15.0  # degrees that the eyes may lean before a face is rolled
FAILED = 20.0  # percent: an error of this kind is no alignment


def measure_rolled(aligner: Aligner, faces: LandmarkSet, most: int = 200) -> dict[str, Any]:
    """Return the error of upright faces at each roll, and in relation to that of none.

    Faces are turned about their middle; the ROI is that of the turned points, as a tracker's. The
    inner 51 points over the distance of the outer eye corners, in percent: median, and the share
    of faces beyond 20 %.
    """
    chosen = [i for i in range(len(faces.paths)) if _fits(faces.points[i])][:most]
    report: dict[str, Any] = {"faces": len(chosen)}
    if not chosen:
        return report
    errors = {roll: np.array([_error(aligner, faces, i, roll) for i in chosen]) for roll in ROLLS}
    upright = float(np.median(errors[0.0]))
    report["median"] = {f"{r:.0f}": float(np.median(e)) for r, e in errors.items()}
    report["over_upright"] = {
        f"{r:.0f}": float(np.median(e)) / upright for r, e in errors.items() if r
    }
    report["failed"] = {f"{r:.0f}": float((e > FAILED).mean()) for r, e in errors.items()}
    return report


def _fits(points: Array) -> bool:
    left, right = points[:2, 36:42].mean(axis=1), points[:2, 42:48].mean(axis=1)
    lean = abs(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])))
    box = parse_roi_box_from_landmark(points)
    return bool(lean < UPRIGHT and box[2] - box[0] >= LEAST_SIDE)


def _error(aligner: Aligner, faces: LandmarkSet, index: int, roll: float) -> float:
    picture, points = roll_face(read_picture(faces.paths[index]), faces.points[index], roll)
    roi = [float(edge) for edge in parse_roi_box_from_landmark(points)]
    (found,) = aligner.recon_vers(list(aligner.align_rois(picture, [roi])), [roi])
    shown, truth = found[None, :2, INNER], points[None, :2, INNER]
    size = metrics.eye_corner_distance(points[None])
    return float(metrics.nme(shown, truth, size).per_face[0])


def roll_face(picture: ImageArray, points: Array, roll: float) -> tuple[ImageArray, Array]:
    """Return the surroundings of a face, rolled counterclockwise, and its points there.

    Parameters
    ----------
    picture : ndarray, shape (H, W, 3), uint8
    points : ndarray, shape (2 | 3, 68)
    roll : float
        Degrees.
    """
    center = (points[:2].min(axis=1) + points[:2].max(axis=1)) / 2
    side = round(2.4 * float(np.ptp(points[:2], axis=1).max()))
    matrix = cv2.getRotationMatrix2D((float(center[0]), float(center[1])), roll, 1)
    matrix[:, 2] += side / 2 - center
    turned = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR)
    moved = points.astype(np.float64).copy()
    moved[:2] = matrix[:, :2] @ points[:2] + matrix[:, 2:]
    return np.asarray(turned, np.uint8), moved.astype(np.float32)
