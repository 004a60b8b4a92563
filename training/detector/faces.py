"""Face crops that crowds are made of: labelled ones, and rare ones that no label was found for."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from training.dataset.packed import open_packed, read_crop, valid_box
from training.dataset.split import is_held_out_crop
from training.mediapipe_points import list_pictures

Faces = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int16]]


def labelled_faces(folder: Path, most: int) -> Faces:
    """Return crops (n, 168, 168, 3) of a packed data set, and what of each is not black (n, 4).

    Raises
    ------
    InputError
        If `folder` holds no packed crops of detected faces.
    """
    faces = open_packed(folder)
    if not faces.detected:
        raise InputError(f"'{folder}': expected crops of detected faces, not turned ones")
    rows = np.flatnonzero(~faces.held_out & faces.usable)
    rows = rows[:: max(1, len(rows) // most)]
    return faces.images[rows], faces.valid[rows]


def rare_faces(folder: Path, others: int, share: float) -> Faces:
    """Return the crops of a folder, repeated until they are `share` of all, beside `others`.

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
    wanted = others * share / (1 - share)
    repeat = max(1, round(wanted / len(names)))
    return np.repeat(images, repeat, axis=0), np.repeat(valid, repeat, axis=0)
