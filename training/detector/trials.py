"""Held-out faces shown from all sides and at all rolls, to see how many a detector finds.

::

    photos with annotated faces --> rolled by 0 ... 180 degrees       "rolled"
    faces turned in 3D (training.synthesize) --> on empty pictures    "turned", by yaw
    crops of real half profiles and profiles                          "profiles", by yaw
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.roi import ImageArray
from training.dataset.batch import CANVAS, INPUT
from training.dataset.packed import open_packed, read_crop
from training.dataset.split import is_held_out_crop, is_held_out_picture
from training.detector.boxes import FloatArray, box_of_landmarks, box_of_roi, overlaps
from training.detector.crowd import draw_mask, paste
from training.detector.faces import turned_squares
from training.detector.picture import Picture, part_of_photo, transform
from training.evaluation.benchmark_sets import Detector, read_picture
from training.labels.annotation_table import read_landmark_table
from training.labels.pseudo_labels import Labels, angles
from training.mediapipe_points import list_pictures

YAWS = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)
ROLLS = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0)
# Smaller faces are not asked for: the mean side of a box, in pixels.
LEAST_BOX = 100.0
FOUND_AT, CLEAR = 0.35, 0.8
# Two opinions on a pose that differ by more, in degrees, are none.
MOST_DIFFERENCE = 15.0
PICTURE = 448  # side of pictures that turned faces are put on


@dataclass(frozen=True)
class Trial:
    """A picture with faces to be found.

    Attributes
    ----------
    condition : str
        What is counted together, such as ``"rolled 90"``.
    image : ndarray, shape (h, w, 3), uint8
    faces : ndarray, shape (n, 4)
    """

    condition: str
    image: ImageArray
    faces: FloatArray


@dataclass(frozen=True)
class Rate:
    """How many faces two detectors find under one condition.

    Attributes
    ----------
    condition : str
    faces : int
    found, reference_found : float
        Share with a box (IoU from 0.35).
    clear, reference_clear : float
        Share with a box whose score is above 0.8.
    """

    condition: str
    faces: int
    found: float
    clear: float
    reference_found: float
    reference_clear: float

    def pairs(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return both detectors' shares, found ones and clear ones."""
        return (self.found, self.reference_found), (self.clear, self.reference_clear)


def rates(trials: Iterable[Trial], detector: Detector, reference: Detector) -> list[Rate]:
    """Return the rates of every condition, in order of appearance."""
    scores: dict[str, list[tuple[float, float]]] = {}
    for trial in trials:
        found = [detector(trial.image), reference(trial.image)]
        for face in trial.faces:
            pair = (score_of(face, found[0]), score_of(face, found[1]))
            scores.setdefault(trial.condition, []).append(pair)
    rows = []
    for condition, pairs in scores.items():
        table = np.array(pairs)
        shares = np.stack([table > 0, table > CLEAR]).mean(axis=1).T.ravel()
        rows.append(Rate(condition, len(table), *(float(share) for share in shares)))
    return rows


def score_of(face: FloatArray, boxes: FloatArray) -> float:
    """Return the best score of the boxes (n, 5) on a face, 0 if it was missed."""
    if not len(boxes):
        return 0.0
    on_face = overlaps(face[None], boxes)[0] >= FOUND_AT
    return float(np.where(on_face, boxes[:, 4], 0).max())


def rolled_scenes(folder: Path, limit: int | None = None) -> Iterator[Trial]:
    """Yield held-out photos at all rolls; the canvas grows so that nothing is cut off."""
    table = read_landmark_table(folder / "landmarks68.csv")
    names = [name for name in sorted(table) if is_held_out_picture(name)][:limit]
    pictures = []
    for name in names:
        boxes = np.array([box_of_landmarks(points) for points in table[name]], np.float32)
        boxes = boxes[(boxes[:, 2:] - boxes[:, :2]).mean(axis=1) >= LEAST_BOX]
        if len(boxes):
            pictures.append((name, boxes))
    for roll in ROLLS:
        for name, boxes in pictures:
            picture = Picture(read_picture(folder / "images" / name), boxes, boxes[:0])
            turned = roll_whole(picture, roll)
            yield Trial(f"rolled {roll:.0f}", turned.image, turned.faces)


def roll_whole(picture: Picture, degrees: float) -> Picture:
    """Return a picture rolled counterclockwise, on a square that holds all of it."""
    height, width = picture.image.shape[:2]
    matrix = cv2.getRotationMatrix2D((0, 0), degrees, 1)
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix[:, :2].T
    side = int(np.ceil(np.ptp(corners, axis=0).max() - 1e-6))
    matrix[:, 2] = side / 2 - (corners.min(axis=0) + corners.max(axis=0)) / 2
    return transform(picture, np.asarray(matrix, np.float64), side)


def turned_trials(data: Path, negatives: Path, most: int = 100) -> Iterator[Trial]:
    """Yield held-out turned faces, at most so many a bin of yaw, on held-out empty pictures.

    Parameters
    ----------
    data : Path
        Of `training.synthesize`.
    negatives : Path
        Pictures without a face.
    most : int
    """
    faces = open_packed(data)
    behind = [name for name in list_pictures(negatives) if is_held_out_picture(name)]
    rows = np.flatnonzero(faces.held_out)
    if faces.detected or not len(rows) or not behind:
        raise InputError(f"'{data}': expected held-out turned faces, and empty pictures")
    yaw = np.abs(angles(faces.labels.camera[rows])[0])
    (square,) = turned_squares(1)
    for condition, chosen in by_yaw("turned", yaw, most):
        for row in rows[chosen]:
            generator = np.random.default_rng(int(row))
            image = read_picture(negatives / behind[generator.integers(len(behind))])
            none = np.zeros((0, 4), np.float32)
            empty = part_of_photo(Picture(image, none, none), none, PICTURE, generator, 0.8)
            side = float(generator.uniform(LEAST_BOX, 200))
            center = generator.uniform(0.7 * side, PICTURE - 0.9 * side, 2).astype(np.float32)
            mask = draw_mask(faces.valid[row], generator)
            pasted = paste(empty, faces.images[row], square, side, center, 0.0, mask)
            yield Trial(condition, pasted.image, pasted.faces)


def profile_trials(
    crops: Path, first: Labels, second: Labels, held_out: int, most: int = 100
) -> Iterator[Trial]:
    """Yield held-out crops of real faces by yaw, at twice their size.

    Parameters
    ----------
    crops : Path
        Crops whose middle 120 of 168 px are a detector's ROI.
    first, second : Labels
        Two opinions on the same crops (`training.detector.guess`); the mean counts, if they agree.
    held_out : int
        One in so many is held out, by name.
    most : int
        Faces of a bin of yaw.
    """
    if first.names.tolist() != second.names.tolist():
        raise InputError("--profiles: expected two opinions on the same crops")
    yaws = np.stack([angles(labels.camera)[0] for labels in (first, second)])
    agreed = np.abs(yaws[0] - yaws[1]) <= MOST_DIFFERENCE
    mine = np.array([is_held_out_crop(name, held_out) for name in first.names.tolist()], bool)
    rows = np.flatnonzero(agreed & mine)
    margin = (CANVAS - INPUT) / 2
    box = box_of_roi(2 * np.array([margin, margin, CANVAS - margin, CANVAS - margin]))
    for condition, chosen in by_yaw("profiles", np.abs(yaws[:, rows].mean(axis=0)), most):
        for row in rows[chosen]:
            crop = read_crop(crops / str(first.names[row]))
            image = cv2.resize(crop, (2 * CANVAS, 2 * CANVAS), interpolation=cv2.INTER_CUBIC)
            yield Trial(condition, np.asarray(image, np.uint8), box[None])


def by_yaw(
    name: str, yaw: npt.NDArray[np.floating], most: int
) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Yield each bin's condition and at most so many of its indices, evenly."""
    for low, high in pairwise(YAWS):
        # The last bin has no upper end: a label may be past 90.
        inside = np.flatnonzero((yaw >= low) & ((yaw < high) | (high == YAWS[-1])))
        if len(inside):
            step = max(1.0, len(inside) / most)
            yield (
                f"{name} {low:.0f}-{high:.0f}",
                inside[np.arange(0, len(inside), step).astype(int)],
            )
