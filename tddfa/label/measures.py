"""What a row says about a face besides its alignment."""

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.face import Face
from tddfa.params import FloatArray

# Weights of B, G, R in the luminance of ITU-R BT.601.
_LUMINANCE = np.array([0.114, 0.587, 0.299], np.float32)


def sharpness(crops: FloatArray) -> list[float]:
    """Return how sharp each face is: the variance of its Laplacian (Pech-Pacheco et al. 2000).

    All faces are compared at the network's 120 pixels: a large blurred face gives a low number,
    and so does a small one that had to be enlarged. Some 20 and less look blurred.

    Parameters
    ----------
    crops : ndarray, shape (n, 3, s, s), float32
        The network's inputs, see `tddfa.roi.network_input`.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(0, 0.2, (1, 3, 120, 120)).astype(np.float32)
    >>> sharpness(noise)[0] > 1000, sharpness(noise * 0)
    (True, [0.0])
    """
    luminance = np.einsum("c,nchw->nhw", _LUMINANCE * np.float32(128), crops)
    return [float(cv2.Laplacian(gray, cv2.CV_32F).var()) for gray in luminance]


def face_columns(face: Face, visibility: bool) -> dict[str, object]:
    """Return the columns of one face that follow from its alignment."""
    pose = face.pose
    columns: dict[str, object] = {
        "track_id": face.track_id,
        "score": face.score,
        "box": face.box,
        "roi_box": face.roi_box,
        "size": face.size,
        "mirror_error": face.mirror_error,
        "yaw": pose.yaw,
        "pitch": pose.pitch,
        "roll": pose.roll,
        "param": face.param,
        "landmarks": np.ascontiguousarray(face.landmarks.T),
        "blendshapes": face.blendshapes,
    }
    if visibility:
        columns["visible"] = _visible(face)
    return columns


def _visible(face: Face) -> npt.NDArray[np.bool_]:
    return face.visible
