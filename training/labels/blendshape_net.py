"""MediaPipe's blendshape network: 146 of its 478 face points to ARKit's coefficients.

It lies in the bundle ``face_landmarker.task`` beside the network that marks the points, and runs on
LiteRT (``pip install ai-edge-litert``). It has no ``tongueOut``.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.arkit52 import MIRRORED, NAMES
from tddfa.errors import InputError
from training.labels.mediapipe_mirror import MIRROR
from training.labels.task_net import EYE_CORNERS, open_network

FloatArray = npt.NDArray[np.float32]

NETWORK = "face_blendshapes.tflite"
# Which points it takes, by number: MediaPipe's face_blendshapes_graph.
POINTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66,
    67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144,
    145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173,
    176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284,
    285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332,
    334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473,
    474, 475, 476, 477,
)  # fmt: skip
# What it gives: a coefficient of the face at rest, then all names but the tongue's in this order.
OUTPUTS = ("", *sorted(name for name in NAMES if name != "tongueOut"))
_ORDER = [OUTPUTS.index(name) if name in OUTPUTS else -1 for name in NAMES]


def upright(points: npt.NDArray[np.floating]) -> FloatArray:
    """Turn a face's points (478, 2 | 3) in the picture so that the eyes' outer corners are level.

    Returns
    -------
    ndarray, shape (478, 2), float32
        About their middle.
    """
    xy = np.asarray(points[:, :2], np.float64)
    across = xy[EYE_CORNERS[1]] - xy[EYE_CORNERS[0]]
    angle = math.atan2(across[1], across[0])
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray((xy - xy.mean(axis=0)) @ np.array([[c, -s], [s, c]]), np.float32)


class BlendshapeNet:
    """Gives coefficients of points.

    Parameters
    ----------
    bundle : Path
        ``face_landmarker.task``.

    Raises
    ------
    InputError
        If LiteRT is missing, or the file holds no such network.
    """

    def __init__(self, bundle: Path) -> None:
        self._network = open_network(bundle, NETWORK)
        details = self._network.get_input_details()[0]
        if tuple(details["shape"]) != (1, len(POINTS), 2):
            raise InputError(f"'{bundle}': expected a network of {len(POINTS)} points")
        self._input = details["index"]
        self._output = self._network.get_output_details()[0]["index"]

    def __call__(self, points: npt.NDArray[np.floating]) -> FloatArray:
        """Return the coefficients (52,) of a face's points, in the order of `tddfa.arkit52`.

        Parameters
        ----------
        points : ndarray, shape (478, 2 | 3)
            Pixels, y down; where and how large they are, and how far rolled, does not matter.
            The mean of what is seen of the face and of its mirror image is taken, so that left and
            right are treated alike.
        """
        face = upright(points)
        mirror = face[MIRROR] * np.array([-1, 1], np.float32)
        return np.asarray((self._look(face) + self._look(mirror)[MIRRORED]) / 2, np.float32)

    def _look(self, points: FloatArray) -> FloatArray:
        # As in a picture: nothing below 0, some hundred pixels wide.
        low, side = points.min(axis=0), float(np.ptp(points, axis=0).max())
        self._network.set_tensor(
            self._input, ((points - low) * (200 / max(side, 1e-6)) + 100)[list(POINTS)][None]
        )
        self._network.invoke()
        found = self._network.get_tensor(self._output).ravel()
        values = [found[k] if k >= 0 else 0.0 for k in _ORDER]
        return np.clip(np.asarray(values, np.float32), 0, 1)
