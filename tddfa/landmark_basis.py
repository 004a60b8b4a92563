"""The face model at landmarks: the few rows that a fit needs, and how much each point counts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError

FloatArray = npt.NDArray[np.floating]

DEFAULT_MODEL = Path(__file__).resolve().parent.parent / "configs/face_model.npz"
N_MEDIAPIPE = 468
# MediaPipe's outline is a guess where hair or an ear hides it: jaw, and still more the forehead.
_JAW = (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152,
        356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)  # fmt: skip
_TOP = (10, 109, 67, 103, 54, 21, 162, 338, 297, 332, 284, 251, 389)
_LIDS = (
    33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7,
    263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249,
)  # fmt: skip
# Lips, brows, ridge and wings of the nose: few points that carry the expression.
_FEATURES = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
    78, 80, 81, 82, 13, 312, 311, 310, 308, 318, 402, 317, 14, 87, 178, 88,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 98, 97, 2, 326, 327, 4, 1, 5, 195, 197, 6, 168,
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
    try:
        with np.load(path, allow_pickle=False) as f:
            need = ["u", "w_shp", "w_exp", "exp_range", "keypoints"]
            if landmarks == "mediapipe":
                need += ["mediapipe_vertices", "mediapipe_weights", "mediapipe_offset"]
            arrays = {k: f[k] for k in need}
    except (OSError, ValueError, KeyError) as e:
        raise InputError(f"{path}: expected a face model with landmarks ({e})") from e

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
    weight[list(_FEATURES)] = 2.5
    weight[list(_LIDS)] = 6.0
    weight[list(_JAW)] = 0.4
    weight[list(_TOP)] = 0.15
    return weight


def _ibug_weight() -> FloatArray:
    weight = np.ones(68)
    weight[:17] = 0.4
    return weight
