"""Do eyes and mouths close and open? Predicted openings on faces whose true ones are known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.errors import InputError
from tddfa.pixel_frames import to_centers
from training.dataset.split import is_held_out_crop
from training.evaluation.benchmark_sets import LandmarkSet, read_picture
from training.evaluation.metrics import eye_corner_distance, lid_gap, lip_gap
from training.evaluation.predict import predict_set
from training.labels.openings_layout import openings_layout
from training.mediapipe_points import load_points

# A lid distance below a tenth of the eye's width is a closed eye, above a quarter an open one.
CLOSED_LIDS, OPEN_LIDS = 0.10, 0.25
# An inner lip distance over the mouth's inner width.
CLOSED_LIPS, OPEN_LIPS = 0.03, 0.30
# Beyond this turn the far eye is hidden and MediaPipe guesses.
MOST_TURNED = 0.25


@dataclass(frozen=True)
class OpeningReport:
    """Openings of n faces; ratios of distances, see `metrics.lid_gap` and `metrics.lip_gap`.

    Attributes
    ----------
    n_faces, n_closed_eyes, n_open_mouths : int
    lid_error, lip_error : float
        Mean absolute difference of predicted and true opening.
    closed_eye_ratio : float
        Mean predicted lid gap of closed eyes over that of open eyes; 0 is perfect.
    open_eye_ratio : float
        Mean predicted lid gap of open eyes over the true one; 1 is perfect.
    open_mouth_ratio : float
        Mean predicted lip gap of open mouths over the true one; 1 is perfect.
    closed_mouth_ratio : float
        Mean predicted lip gap of closed mouths over that of open ones; 0 is perfect.
    """

    n_faces: int
    n_closed_eyes: int
    n_open_mouths: int
    lid_error: float
    lip_error: float
    closed_eye_ratio: float
    open_eye_ratio: float
    open_mouth_ratio: float
    closed_mouth_ratio: float


def compare_openings(
    predicted: npt.NDArray[np.floating], truth: npt.NDArray[np.floating]
) -> OpeningReport:
    """Compare landmarks (n, 2 | 3, 68) in openings; NaN where a group has no face."""
    lids, true_lids = lid_gap(predicted).mean(axis=1), lid_gap(truth).mean(axis=1)
    lips, true_lips = lip_gap(predicted), lip_gap(truth)
    closed, opened = true_lids < CLOSED_LIDS, true_lids > OPEN_LIDS
    shut, agape = true_lips < CLOSED_LIPS, true_lips > OPEN_LIPS

    def mean(values: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_]) -> float:
        return float(values[mask].mean()) if mask.any() else float("nan")

    return OpeningReport(
        n_faces=len(truth),
        n_closed_eyes=int(closed.sum()),
        n_open_mouths=int(agape.sum()),
        lid_error=float(np.abs(lids - true_lids).mean()),
        lip_error=float(np.abs(lips - true_lips).mean()),
        closed_eye_ratio=mean(lids, closed) / mean(lids, opened),
        open_eye_ratio=mean(lids, opened) / mean(true_lids, opened),
        open_mouth_ratio=mean(lips, agape) / mean(true_lips, agape),
        closed_mouth_ratio=mean(lips, shut) / mean(lips, agape),
    )


def load_crops(crops: Path, points: Path, margin: float = 1.4, limit: int = 2000) -> LandmarkSet:
    """Return held-out crops that face the camera, with MediaPipe's points as truth.

    Crops without a closed eye or an open mouth are plentiful: at most `limit` of them stay.
    """
    found = load_points(points)
    known = np.isfinite(found.points).all(axis=(1, 2))
    keep = np.array([is_held_out_crop(name) for name in found.names.tolist()], bool) & known
    truth, names = openings_layout(found.points[keep]), found.names[keep]
    nose = truth[:, 0, 30] - truth[:, 0, [36, 45]].mean(axis=1)
    frontal = np.abs(nose) < MOST_TURNED * eye_corner_distance(truth)
    truth, names = truth[frontal], names[frontal]
    rare = (lid_gap(truth).mean(axis=1) < CLOSED_LIDS) | (lip_gap(truth) > OPEN_LIPS)
    chosen = np.sort(np.r_[np.flatnonzero(rare), np.flatnonzero(~rare)[:limit]])
    if not len(chosen):
        raise InputError(f"'{points}': expected points of at least one held-out crop")
    names, truth = names[chosen], truth[chosen]
    paths = [crops / name for name in names.tolist()]
    side = read_picture(paths[0]).shape[0]
    edge = side * (1 - 1 / margin) / 2
    roi = np.array([edge, edge, side - edge, side - edge], np.float32)
    # MediaPipe's points count from the picture's edge, ours from the first pixel's center.
    return LandmarkSet("crops", paths, to_centers(truth), np.tile(roi, (len(paths), 1)))


def measure_openings(aligner: Aligner, faces: LandmarkSet) -> OpeningReport:
    """Predict the faces of a set and compare their openings with its points."""
    return compare_openings(predict_set(aligner, faces)[1], faces.points)
