"""What training crops are drawn from: labelled faces, and places that a detector looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from training.dataset.packed import open_packed
from training.dataset.split import bucket
from training.detector.boxes import FloatArray
from training.face_check.candidates import Candidates, load_candidates
from training.face_check.squares import camera_rolls, landmark_squares
from training.labels.pseudo_labels import landmarks

# One picture in so many of the training part, by name, is kept for thresholds.
VALIDATION = 8


@dataclass(frozen=True)
class Patches:
    """Pictures of 168 px around faces, or without one.

    Attributes
    ----------
    images : ndarray, shape (n, 168, 168, 3), uint8
        May be mapped from disk.
    rows : ndarray, shape (m,), int64
        Which of them to draw from.
    squares : ndarray, shape (n, 3), float32
        Center (x, y) and side of the face's ROI; where there is none, of the place looked at.
    roll : ndarray, shape (n,), float32
        Degrees; NaN where unknown.
    """

    images: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int64]
    squares: FloatArray
    roll: FloatArray


@dataclass(frozen=True)
class Sources:
    """All that crops are drawn from.

    Attributes
    ----------
    faces : list of Patches
        Labelled faces, a set each.
    shares : ndarray
        How often each set is drawn from.
    found : list of Patches
        Faces that a detector found.
    decoys, plain : list of Patches
        Without a face: what a detector reported, and any others.
    """

    faces: list[Patches]
    shares: npt.NDArray[np.float64]
    found: list[Patches]
    decoys: list[Patches]
    plain: list[Patches]


def open_sources(
    crops: Sequence[Path],
    candidates: Sequence[Path],
    shares: Sequence[float] = (),
    validation: bool = False,
    face_model: str = "configs/face_model.npz",
) -> Sources:
    """Open the sets to train on, or the part that is kept for thresholds.

    Raises
    ------
    InputError
        If there is no face, or no place without one.
    """
    model = load_face_model(face_model)
    faces = []
    for folder in crops:
        packed = open_packed(folder)
        squares = landmark_squares(landmarks(packed.labels, model))
        rows = np.flatnonzero((packed.held_out == validation) & packed.usable)
        if len(rows):
            roll = camera_rolls(packed.labels.camera)
            faces.append(Patches(packed.images, rows, squares, roll))
    tables = [load_candidates(path) for path in candidates]
    parts = [_of_part(table, validation) for table in tables]
    sources = Sources(
        faces,
        np.array(shares or [len(part.rows) for part in faces], np.float64),
        _filled(_patches(t, p & t.face) for t, p in zip(tables, parts, strict=True)),
        _filled(
            _patches(t, p & ~t.face & (t.score > 0)) for t, p in zip(tables, parts, strict=True)
        ),
        _filled(
            _patches(t, p & ~t.face & np.isnan(t.score)) for t, p in zip(tables, parts, strict=True)
        ),
    )
    if not faces or not sources.plain:
        raise InputError("expected labelled faces, and candidates without one")
    return sources


def is_validation(name: str) -> bool:
    """Return whether a picture of the training part is kept for thresholds."""
    return bucket(f"face check/{Path(name).stem.rsplit('_', 1)[0]}", VALIDATION) == 0


def _of_part(table: Candidates, validation: bool) -> npt.NDArray[np.bool_]:
    kept = {name: is_validation(name) for name in np.unique(table.names).tolist()}
    return np.array([kept[name] == validation for name in table.names.tolist()], bool)


def _filled(sets: Iterable[Patches]) -> list[Patches]:
    return [part for part in sets if len(part.rows)]


def _patches(table: Candidates, chosen: npt.NDArray[np.bool_]) -> Patches:
    middle = np.array([84, 84, 120], np.float32)
    squares = np.where(np.isnan(table.squares), middle, table.squares)
    unknown = np.full(len(table), np.nan, np.float32)
    return Patches(table.images, np.flatnonzero(chosen), squares.astype(np.float32), unknown)
