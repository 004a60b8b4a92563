"""The face model at landmarks: the few rows that a fit needs, and how much each point counts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa import mediapipe478 as points
from tddfa.errors import InputError
from tddfa.npz import load_npz

FloatArray = npt.NDArray[np.floating]

DEFAULT_MODEL = Path(__file__).resolve().parent.parent / "configs/face_model.npz"
N_MEDIAPIPE = points.N_MESH
# MediaPipe's outline is a guess where hair or an ear hides it: jaw, and still more the forehead.
_JAW = sorted({*points.RIGHT_JAW, *points.LEFT_JAW})
# Lips, brows, ridge and wings of the nose: few points that carry the expression.
_FEATURES = sorted(
    {
        *points.OUTER_LIPS, *points.INNER_LIP_CORNERS,
        *points.UPPER_INNER_LIP[1:-1], *points.LOWER_INNER_LIP[1:-1],
        *points.RIGHT_BROW, *points.LEFT_BROW, *points.NOSE_BASE, *points.NOSE_RIDGE, 1,
    }
)  # fmt: skip


@dataclass(frozen=True)
class LandmarkBasis:
    """The face model at K landmarks.

    Attributes
    ----------
    mean : ndarray, shape (K, 3), float64
        Mean shape in the model's unit, y up, z towards the viewer.
    components : ndarray, shape (K, 3, S + E), float64
        Shape, then expression components.
    n_shape : int
        Number S of shape components.
    weight : ndarray, shape (K,), float64
        Importance of each point.
    exp_range : ndarray, shape (E, 2), float64
        Bounds of the expression coefficients.
    """

    mean: FloatArray
    components: FloatArray
    n_shape: int
    weight: FloatArray
    exp_range: FloatArray


def load_landmark_basis(
    path: str | Path | None = None, landmarks: str = "mediapipe"
) -> LandmarkBasis:
    """Read the rows of a face model that belong to landmarks.

    Parameters
    ----------
    path : str or Path, optional
        Face model in the project's ``.npz`` format; by default the one that ships.
    landmarks : {"mediapipe", "ibug"}
        468 points of MediaPipe's face mesh, or iBUG's 68.

    Raises
    ------
    InputError
        If the file is no such model or `landmarks` is unknown.
    """
    path = DEFAULT_MODEL if path is None else Path(path)
    if landmarks not in ("mediapipe", "ibug"):
        raise InputError(f"landmarks: expected mediapipe or ibug, got {landmarks}")
    need = ["u", "w_shp", "w_exp", "exp_range", "keypoints"]
    if landmarks == "mediapipe":
        need += ["mediapipe_vertices", "mediapipe_weights", "mediapipe_offset"]
    arrays = load_npz(path)
    missing = [name for name in need if name not in arrays]
    if missing:
        raise InputError(f"'{path}': expected a face model with landmarks, no {missing[0]}")

    def rows(name: str) -> FloatArray:
        a = arrays[name].reshape(len(arrays["u"]) // 3, 3, -1)
        if landmarks == "ibug":
            return a[arrays["keypoints"]].astype(np.float64)
        corners = a[arrays["mediapipe_vertices"][:N_MEDIAPIPE]].astype(np.float64)
        return np.einsum("kc,kcij->kij", arrays["mediapipe_weights"][:N_MEDIAPIPE], corners)

    shape, expression, mean = rows("w_shp"), rows("w_exp"), rows("u")[:, :, 0]
    if landmarks == "mediapipe":
        mean = mean + arrays["mediapipe_offset"][:N_MEDIAPIPE]
    return LandmarkBasis(
        mean=mean,
        components=np.concatenate([shape, expression], axis=2),
        n_shape=shape.shape[2],
        weight=_mediapipe_weight() if landmarks == "mediapipe" else _ibug_weight(),
        exp_range=arrays["exp_range"].astype(np.float64),
    )


def _mediapipe_weight() -> FloatArray:
    weight = np.ones(N_MEDIAPIPE)
    weight[_FEATURES] = 2.5
    weight[list(points.EYES)] = 6.0
    weight[_JAW] = 0.4
    weight[list(points.HAIRLINE)] = 0.15
    return weight


def _ibug_weight() -> FloatArray:
    weight = np.ones(68)
    weight[:17] = 0.4
    return weight
