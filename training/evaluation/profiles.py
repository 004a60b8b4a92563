"""Real half profiles and profiles, and pictures without a face: detection and pose together."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.aligner import Aligner
from tddfa.errors import InputError
from tddfa.roi import parse_roi_box_from_bbox
from training.dataset.split import is_held_out_picture
from training.detector.boxes import overlaps
from training.detector.trials import FOUND_AT, YAWS, Trial
from training.evaluation.benchmark_sets import Detector, read_picture
from training.evaluation.rendered import rotation_of
from training.labels.pseudo_labels import angles
from training.mediapipe_points import list_pictures

# Degrees by which a yaw may be beyond its bin: so far two opinions on it differ, too.
SLACK = 15.0


def measure_profiles(
    aligner: Aligner, detector: Detector, trials: Iterable[Trial]
) -> dict[str, Any]:
    """Return by bin of yaw how many faces are found, and found and aligned with that yaw.

    Parameters
    ----------
    aligner, detector
    trials : iterable of Trial
        One face each; what `training.detector.trials.profile_trials` yields.
    """
    bins = {f"{low:.0f}-{high:.0f}": (low, high) for low, high in pairwise(YAWS)}
    rows: dict[str, list[tuple[bool, bool]]] = {}
    for trial in trials:
        name = trial.condition.split()[-1]
        low, high = bins[name]
        boxes = detector(trial.image)
        overlap = overlaps(trial.faces[:1], boxes)[0] if len(boxes) else np.zeros(0)
        found = bool(len(overlap)) and float(overlap.max()) >= FOUND_AT
        right = False
        if found:
            roi = [float(v) for v in parse_roi_box_from_bbox(boxes[int(overlap.argmax())])]
            yaw = abs(float(angles(rotation_of(aligner.align_rois(trial.image, [roi])))[0][0]))
            right = low - SLACK <= yaw <= high + SLACK
        rows.setdefault(name, []).append((found, right))
    table = {name: np.array(pairs, float) for name, pairs in rows.items()}
    return {
        "faces": {name: len(pairs) for name, pairs in table.items()},
        "found": {name: float(pairs[:, 0].mean()) for name, pairs in table.items()},
        "found_and_right": {name: float(pairs[:, 1].mean()) for name, pairs in table.items()},
    }


def measure_negatives(detector: Detector, folder: Path) -> dict[str, Any]:
    """Return how many faces are seen on a folder's held-out pictures, of which none has one.

    Raises
    ------
    InputError
        If the folder holds no picture of the held-out third.
    """
    names = [name for name in list_pictures(folder) if is_held_out_picture(name)]
    if not names:
        raise InputError(f"'{folder}': expected held-out pictures")
    counts = np.array([len(detector(read_picture(folder / name))) for name in names])
    return {
        "pictures": len(names),
        "faces_per_picture": float(counts.mean()),
        "pictures_with_faces": float((counts > 0).mean()),
    }
