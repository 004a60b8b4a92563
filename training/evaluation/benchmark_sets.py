"""Pictures with 68 annotated points: what `training.evaluate` measures on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.picture import ImageArray
from tddfa.roi import parse_roi_box_from_bbox, parse_roi_box_from_landmark
from training.dataset.split import is_held_out_picture
from training.labels.annotation_table import read_landmark_table

FloatArray = npt.NDArray[np.float32]
Detector = Callable[[ImageArray], FloatArray]


@dataclass(frozen=True)
class LandmarkSet:
    """n faces with their truth.

    Attributes
    ----------
    name : str
    paths : list of Path
        Picture of each face; several faces may share one.
    points : ndarray, shape (n, 2 | 3, 68), float32
        Truth in picture pixels, y down.
    rois : ndarray, shape (n, 4), float32
        ``[xmin, ymin, xmax, ymax]``, what the network shall see.
    yaw : ndarray, shape (n,), float32, or None
        The magnitude of yaw in degrees, where it is known.
    missed : int or None
        So many faces a detector did not find; their ROIs are those of their points. None where no
        detector was asked.
    """

    name: str
    paths: list[Path]
    points: FloatArray
    rois: FloatArray
    yaw: FloatArray | None = None
    missed: int | None = None


def read_picture(path: Path) -> ImageArray:
    """Read a BGR picture."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"'{path}': expected a readable picture")
    return np.asarray(picture, np.uint8)


def load_ground_truth(folder: Path) -> LandmarkSet:
    """Read a folder with ``images/`` and ``ground_truth.npz`` (AFLW2000-3D's form).

    The archive has names (n,), pts68 (n, 3, 68), roi_box (n, 4) and abs_yaw_deg (n,).
    """
    try:
        with np.load(folder / "ground_truth.npz", allow_pickle=False) as data:
            arrays = {key: data[key] for key in ("names", "pts68", "roi_box", "abs_yaw_deg")}
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"'{folder}': expected ground_truth.npz with names, pts68, roi_box and abs_yaw_deg"
        ) from error
    paths = [folder / "images" / str(name) for name in arrays["names"]]
    return LandmarkSet(
        folder.name, paths, arrays["pts68"], arrays["roi_box"], arrays["abs_yaw_deg"]
    )


def with_found_rois(faces: LandmarkSet, detector: Detector) -> LandmarkSet:
    """Return the faces with the ROIs of a detector's boxes, as users have them.

    That of the box which overlaps a face's points most; a face that it misses keeps the ROI that it
    had.
    """
    rois, missed, cache = [], 0, dict[Path, FloatArray]()
    for path, points, roi in zip(faces.paths, faces.points, faces.rois, strict=True):
        if path not in cache:
            cache[path] = detector(read_picture(path))
        box = best_box(points, cache[path])
        missed += box is None
        rois.append(roi if box is None else parse_roi_box_from_bbox(box))
    found = np.array(rois, np.float32)
    return replace(faces, name=f"{faces.name}_found", rois=found, missed=missed)


def load_annotated(
    folder: Path, detector: Detector | None = None, *, held_out: bool = True
) -> LandmarkSet:
    """Read a folder with ``images/`` and ``landmarks68.csv`` (file, x0, y0, … x67, y67).

    Parameters
    ----------
    folder : Path
    detector : callable, optional
        Gives the ROI: that of the box which overlaps a face's points most. A face that it misses,
        and every face without a detector, gets the ROI of its points.
    held_out : bool
        The held-out third of the pictures alone, else the two thirds that may be trained on.

    Raises
    ------
    InputError
        If the table is missing, malformed, or leaves no face.
    """
    table = folder / "landmarks68.csv"
    paths, points = [], []
    for name, faces in read_landmark_table(table).items():
        if is_held_out_picture(name) == held_out:
            paths += [folder / "images" / name] * len(faces)
            points += list(faces)
    if not paths:
        raise InputError(f"'{table}': expected at least one face of this part")
    truth = np.array(points, np.float32)
    rois = np.array([parse_roi_box_from_landmark(face) for face in truth], np.float32)
    whole = LandmarkSet(folder.name, paths, truth, rois)
    if detector is None:
        return whole
    return replace(with_found_rois(whole, detector), name=whole.name)


def best_box(points: FloatArray, boxes: FloatArray, least: float = 0.3) -> FloatArray | None:
    """Return the box that overlaps the points' bounding box most, None below IoU `least`."""
    if not len(boxes):
        return None
    low, high = points[:2].min(axis=1), points[:2].max(axis=1)
    corner = np.minimum(boxes[:, 2:4], high) - np.maximum(boxes[:, :2], low)
    shared = np.clip(corner, 0, None).prod(axis=1)
    union = (boxes[:, 2:4] - boxes[:, :2]).prod(axis=1) + (high - low).prod() - shared
    overlap = shared / union
    best = int(overlap.argmax())
    return boxes[best] if overlap[best] >= least else None
