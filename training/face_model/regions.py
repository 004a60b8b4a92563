"""Label vertices by part of the face, from MediaPipe's contours seen from the front."""

from __future__ import annotations

import numpy as np
from matplotlib.path import Path as Outline

from tddfa.mediapipe478 import OUTER_LIPS
from training.face_model.landmarks import LandmarkTable

NAMES = (
    "other", "left_eye", "right_eye", "left_brow", "right_brow", "nose", "upper_lip", "lower_lip",
    "left_cheek", "right_cheek", "forehead", "chin", "left_ear", "right_ear", "mouth_inside",
)  # fmt: skip
RIGHT_EYE = (130, 247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25)
RIGHT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
NOSE = (168, 122, 174, 198, 209, 49, 48, 64, 98, 97, 2, 326, 327, 294, 278, 279, 429, 420, 399, 351)
RIGHT_CHEEK = (
    111, 117, 118, 119, 100, 142, 203, 206, 216, 212, 214, 192, 138, 172, 58, 132, 93, 234, 227, 116
)  # fmt: skip


def label(
    u: np.ndarray, mirror: np.ndarray, table: LandmarkTable, inside: np.ndarray, eye: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return (n,) labels into `NAMES`, and `NAMES`.

    Parameters
    ----------
    u : (n, 3)
        Mean shape in mm.
    mirror : (n,)
        Mirror partners; left labels mirror right ones.
    table : LandmarkTable
    inside, eye : (n,) bool
        Vertices of the mouth cavity and of the filled lid openings.
    """
    points = table.place(u)
    out = np.zeros(len(u), np.int64)

    def within(contour: tuple[int, ...]) -> np.ndarray:
        near = points[list(contour), 2].min() - 25
        return Outline(points[list(contour), :2]).contains_points(u[:, :2]) & (u[:, 2] > near)

    def put(name: str, mask: np.ndarray) -> None:
        out[mask] = NAMES.index(name)

    brow = points[list(RIGHT_BROW)]
    bottom = points[17, 1]
    front = u[:, 2] > points[234, 2]
    put("forehead", front & (u[:, 1] > brow[:, 1].min()) & (np.abs(u[:, 0]) < 70))
    chin = front & (u[:, 1] < bottom) & (np.abs(u[:, 0]) < abs(points[150, 0]))
    put("chin", chin & (u[:, 2] > points[172, 2]))
    put("right_cheek", within(RIGHT_CHEEK) & front)
    put("nose", within(NOSE))
    put("right_brow", within(RIGHT_BROW))
    put("right_eye", within(RIGHT_EYE) | (eye & (u[:, 0] < 0)))
    lips = within(OUTER_LIPS) & (u[:, 2] > points[61, 2] - 10)
    middle = points[[13, 14], 1].mean()
    corner = points[61]
    line = np.interp(np.abs(u[:, 0]), [0, abs(corner[0])], [middle, corner[1]])
    put("upper_lip", lips & (u[:, 1] >= line))
    put("lower_lip", lips & (u[:, 1] < line))
    put("mouth_inside", inside)
    y, z = points[234, 1:]
    ear = (u[:, 0] < -72) & (np.abs(u[:, 1] - y + 8) < 38) & (u[:, 2] < z + 4)
    put("right_ear", ear)

    right = [i for i, k in enumerate(NAMES) if k.startswith("right_")]
    swap = np.arange(len(NAMES))
    for i in right:
        j = NAMES.index("left_" + NAMES[i].removeprefix("right_"))
        swap[i], swap[j] = j, i
    left_half = u[:, 0] > 0
    out[left_half] = swap[out[mirror[left_half]]]
    return out, NAMES
