"""Parameters of the face model for crops whose points are known, and which of them to doubt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from tddfa.morphable_model import MorphableModel
from tddfa.pixel_frames import to_edges, turned_over
from training.dataset.batch import CANVAS, MARGIN
from training.mediapipe_points import FacePoints
from training.teacher_landmarks import SecondOpinion

FloatArray = npt.NDArray[np.float32]

# In percent of the root of the box's area. Beyond these the points mostly are those of another
# person in the crop.
MOST_RESIDUAL = 2.0
MOST_DISAGREEMENT = 4.5


@dataclass(frozen=True)
class Labels:
    """Labels of n crops.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
    camera : ndarray, shape (n, 3, 4), float32
        Map from the face model's units to the canvas frame, see `batch.Crops`.
    alpha : ndarray, shape (n, C), float32
        Shape and expression coefficients.
    residual : ndarray, shape (n,), float32
        Mean distance of the fitted points, in percent of the root of their box's area.
    weight : ndarray, shape (n,), float32
        How often to draw the face in training in relation to others, see `agreement`; by default 1.
    """

    names: npt.NDArray[np.str_]
    camera: FloatArray
    alpha: FloatArray
    residual: FloatArray
    weight: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))

    def __post_init__(self) -> None:
        if not len(self.weight):
            object.__setattr__(self, "weight", np.ones(len(self.names), np.float32))

    def __getitem__(self, index: npt.NDArray) -> "Labels":
        """Return some of the labels."""
        return Labels(*(getattr(self, name)[index] for name in LABEL_ARRAYS))


LABEL_ARRAYS = ("names", "camera", "alpha", "residual", "weight")


def save_labels(path: Path, labels: Labels) -> None:
    """Write labels as an archive."""
    save_arrays(path, **{name: getattr(labels, name) for name in LABEL_ARRAYS})


def load_labels(path: Path) -> Labels:
    """Read what `save_labels` wrote."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return labels_of({name: archive[name] for name in archive.files})
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"'{path}': expected an archive of labels") from error


def labels_of(arrays: Mapping[str, npt.NDArray]) -> Labels:
    """Return the labels among the arrays of an archive; old ones have no weights.

    Raises
    ------
    KeyError
        If one of the others is missing.
    """
    own = [arrays[name] for name in LABEL_ARRAYS[:-1]]
    return Labels(*own, *([arrays["weight"]] if "weight" in arrays else []))


def canvas_points(found: FacePoints) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """Return which crops have points, and theirs in the canvas frame: (n,), (m, 478, 2)."""
    known = np.isfinite(found.points).all(axis=(1, 2))
    points = found.points[known, :, :2].copy()
    points[:, :, 1] = CANVAS - points[:, :, 1]
    return np.asarray(known), points


def landmarks(labels: Labels, model: MorphableModel) -> FloatArray:
    """Return the labels' 68 landmarks in the canvas frame, (n, 68, 3)."""
    basis = model.sparse
    shape = basis.mean + np.tensordot(labels.alpha, basis.components, axes=1)
    placed = labels.camera[:, :, :3] @ shape + labels.camera[:, :, 3:]
    return np.asarray(placed.transpose(0, 2, 1), np.float32)


def angles(camera: npt.NDArray[np.floating]) -> tuple[npt.NDArray, npt.NDArray]:
    """Return yaw and pitch (n,) in degrees of cameras (n, 3, 4) or rotations.

    They are those of the direction in which the face looks, the model's z axis, whatever its roll.
    Signs are those of `tddfa.pose.HeadPose`: positive yaw turns the face to the picture's left,
    positive pitch lowers it. Without roll and with one of the two zero both agree.
    """
    axis = camera[:, :, 2] / np.linalg.norm(camera[:, :, 2], axis=1, keepdims=True)
    yaw = np.degrees(np.arctan2(axis[:, 0], axis[:, 2]))
    return -yaw, -np.degrees(np.arcsin(np.clip(axis[:, 1], -1, 1)))


def canvas_cameras(
    scale: npt.NDArray[np.floating],
    rotation: npt.NDArray[np.floating],
    translation: npt.NDArray[np.floating],
) -> FloatArray:
    """Return the cameras (n, 3, 4) of fits, as `tddfa.face_fit.FaceFit` has them.

    Fits count pixels from their centers, y down; the canvas from its lower left edge.
    """
    camera = np.zeros((len(scale), 3, 4), np.float32)
    camera[:, :, :3] = scale[:, None, None] * rotation
    camera[:, :2, 3] = turned_over(to_edges(translation[:, :2]), CANVAS)
    return camera


def disagreement(labels: Labels, model: MorphableModel, second: SecondOpinion) -> FloatArray:
    """Return the mean distance to the second opinion, (n,), in percent of the box; NaN if none."""
    row = {name: i for i, name in enumerate(second.names.tolist())}
    index = np.array([row.get(name, -1) for name in labels.names.tolist()], int)
    other = turned_over(to_edges(second.points[index][:, :2].transpose(0, 2, 1)), CANVAS)
    size = np.sqrt(np.ptp(other, axis=1).prod(axis=1))
    distance = np.linalg.norm(landmarks(labels, model)[:, :, :2] - other, axis=2).mean(axis=1)
    return np.where(index < 0, np.nan, 100 * distance / size).astype(np.float32)


def trusted(
    labels: Labels, model: MorphableModel, second: SecondOpinion | None = None
) -> npt.NDArray[np.bool_]:
    """Return which labels to train on."""
    low, high = MARGIN / 2, CANVAS - MARGIN / 2
    center = landmarks(labels, model)[:, :, :2].mean(axis=1)
    keep = (labels.residual < MOST_RESIDUAL) & ((center > low) & (center < high)).all(axis=1)
    if second is not None:
        # Not "<": a crop without a second opinion has NaN and stays.
        keep &= ~(disagreement(labels, model, second) >= MOST_DISAGREEMENT)
    return np.asarray(keep)
