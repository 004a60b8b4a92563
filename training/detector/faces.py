"""Face crops that crowds are made of: labelled ones, turned ones, and rare ones without a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from training.dataset.batch import CANVAS, INPUT
from training.dataset.packed import open_packed, read_crop, valid_box
from training.dataset.split import is_held_out_crop
from training.detector.boxes import ABOVE_LANDMARKS, ROI_PER_LANDMARKS
from training.labels.pseudo_labels import angles
from training.mediapipe_points import list_pictures

# How often a face is drawn whose yaw is beyond so many degrees, against one from the front.
PROFILES = ((35.0, 4), (60.0, 8))
# Beyond this yaw other detectors' words on faces that were turned by us do not count.
SURE_YAW = 50.0


@dataclass(frozen=True)
class FaceCrops:
    """Crops of 168 px with what a crowd has to know of them.

    Attributes
    ----------
    images : ndarray, shape (n, 168, 168, 3), uint8
    valid : ndarray, shape (n, 4), int16
        What of each is not black border.
    roi : ndarray, shape (n, 3), float32
        Center (x, y) and side of a detector's ROI.
    sure : ndarray, shape (n,), bool
        Faces that another detector may well miss.
    draws : ndarray, shape (m,), int64
        Numbers of crops to draw from: some are there more than once.
    """

    images: npt.NDArray[np.uint8]
    valid: npt.NDArray[np.int16]
    roi: npt.NDArray[np.float32]
    sure: npt.NDArray[np.bool_]
    draws: npt.NDArray[np.int64]


def labelled_faces(folder: Path, most: int) -> FaceCrops:
    """Return the crops of a packed data set of detected faces; profiles are drawn more often.

    Raises
    ------
    InputError
        If `folder` holds none.
    """
    faces = open_packed(folder)
    if not faces.detected:
        raise InputError(f"'{folder}': expected crops of detected faces, not turned ones")
    yaw = np.abs(angles(faces.labels.camera)[0])
    rows = np.flatnonzero(~faces.held_out & faces.usable)
    # All profiles, and of the others as many as fit.
    plain, profiles = rows[yaw[rows] < PROFILES[0][0]], rows[yaw[rows] >= PROFILES[0][0]]
    step = max(1, len(plain) // max(1, most - len(profiles)))
    rows = np.sort(np.concatenate([plain[::step], profiles]))
    times = np.ones(len(rows), int)
    for least, count in PROFILES:
        times[yaw[rows] >= least] = count
    return FaceCrops(
        faces.images[rows],
        faces.valid[rows],
        _squares(len(rows), INPUT),
        np.zeros(len(rows), bool),
        np.repeat(np.arange(len(rows)), times),
    )


def turned_faces(folder: Path, most: int) -> FaceCrops:
    """Return faces that `training.synthesize` turned.

    Raises
    ------
    InputError
        If `folder` holds none.
    """
    faces = open_packed(folder)
    if faces.detected:
        raise InputError(f"'{folder}': expected turned faces, run training.synthesize")
    rows = np.flatnonzero(~faces.held_out & faces.usable)
    rows = rows[:: max(1, len(rows) // most)]
    yaw = np.abs(angles(faces.labels.camera[rows])[0])
    roi = turned_squares(len(rows))
    return FaceCrops(
        faces.images[rows], faces.valid[rows], roi, yaw > SURE_YAW, np.arange(len(rows))
    )


def rare_faces(folder: Path, others: int, share: float) -> FaceCrops:
    """Return the crops of a folder, drawn as often as makes them `share` of all, beside `others`.

    Faces with masks are faces to a detector, although nobody finds the points of a covered mouth:
    the filters of `training.prepare` drop most of them. Held-out crops are left out.

    Raises
    ------
    InputError
        If there is no crop in `folder`, or `share` is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise InputError(f"--rare-share: expected a number from 0 up to 1, got {share:g}")
    names = [n for n in list_pictures(folder) if not is_held_out_crop(f"{folder.name}/{n}")]
    if not names:
        raise InputError(f"'{folder}': expected square face crops")
    images = np.stack([read_crop(folder / name) for name in names])
    valid = np.array([valid_box(image) for image in images], np.int16)
    repeat = max(1, round(others * share / (1 - share) / len(names)))
    return FaceCrops(
        images,
        valid,
        _squares(len(names), INPUT),
        np.zeros(len(names), bool),
        np.tile(np.arange(len(names)), repeat),
    )


def joined(parts: Sequence[FaceCrops]) -> FaceCrops:
    """Return several sets as one."""
    first = np.cumsum([0, *(len(part.images) for part in parts)])
    draws = [part.draws + start for part, start in zip(parts, first, strict=False)]
    return FaceCrops(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.valid for part in parts]),
        np.concatenate([part.roi for part in parts]),
        np.concatenate([part.sure for part in parts]),
        np.concatenate(draws),
    )


def turned_squares(count: int) -> npt.NDArray[np.float32]:
    """Return the detector's ROIs (n, 3) of turned faces: their middle 120 px are the landmarks'."""
    squares = _squares(count, ROI_PER_LANDMARKS * INPUT)
    squares[:, 1] -= ABOVE_LANDMARKS * INPUT
    return squares


def _squares(count: int, side: float) -> npt.NDArray[np.float32]:
    return np.tile(np.array([CANVAS / 2, CANVAS / 2, side], np.float32), (count, 1))
