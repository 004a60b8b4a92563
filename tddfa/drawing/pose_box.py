r"""The pose box: a frustum that turns with the head.

::

        front square, half-size 4/3·L, 4/3·L nearer
          +-----------+
          | \       / |
          |  +-----+  |     rear square, half-size L,
          |  |     |  |     around the mean of the jaw and brow points
          |  +-----+  |
          | /       \ |
          +-----------+
"""

import logging
from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.drawing.checks import FloatArray, as_faces, as_picture
from tddfa.drawing.landmarks import Color
from tddfa.drawing.show import deliver
from tddfa.errors import InputError
from tddfa.io.atomic import PathLike
from tddfa.picture import ImageArray
from tddfa.pose import calc_pose

__all__ = ["calc_pose", "plot_pose_box", "pose_box", "viz_pose"]

_LOGGER = logging.getLogger(__name__)

POSE_COLOR: Color = (40, 255, 0)
# The first points of the 68 are jaw and brows.
N_JAW_AND_BROWS = 27
_SQUARE = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]], np.float64)
_EDGES = [(i, (i + 1) % 4) for i in range(4)]
_EDGES += [(i + 4, j + 4) for i, j in _EDGES] + [(i, i + 4) for i in range(4)]
_SHIFT = 4
_FAR = 2.0**20


def box_corners(rear: float) -> npt.NDArray[np.float64]:
    """Return the corners (8, 3) of a box of rear half-size `rear`, unturned: rear square, front."""
    corners = np.zeros((8, 3))
    corners[:4, :2] = _SQUARE * rear
    corners[4:, :2] = _SQUARE * (rear * 4 / 3)
    corners[4:, 2] = rear * 4 / 3
    return corners


def pose_box(camera: npt.ArrayLike, landmarks: FloatArray) -> npt.NDArray[np.float64]:
    """Return the corners of the pose box in the picture.

    Parameters
    ----------
    camera : array_like, shape (3, 4)
        [R | t] without scale, as `calc_pose` returns it.
    landmarks : ndarray, shape (2|3, 68)
        Landmarks in pixels.

    Returns
    -------
    ndarray, shape (8, 2), float64
        x, y in pixels of the rear square's corners, then of the front square's.
    """
    rotation = np.asarray(camera, np.float64)[:, :3]
    points = np.asarray(landmarks, np.float64)[:2]
    # L: a third of the diagonal of the square around the landmarks.
    corners = box_corners(float(np.ptp(points, axis=1).max() * np.sqrt(2) / 3))
    projected = (corners @ rotation.T)[:, :2] * (1, -1)  # y up -> y down
    # The translation falls out: the rear square is centered on the points.
    center = points[:, :N_JAW_AND_BROWS].mean(axis=1)
    return np.asarray(projected - projected[:4].mean(axis=0) + center)


def plot_pose_box(
    img: ImageArray,
    P: npt.ArrayLike,  # noqa: N803 (the reference's name)
    ver: npt.ArrayLike,
    color: Color = POSE_COLOR,
    line_width: int = 2,
) -> ImageArray:
    """Draw the pose box of one face into the picture, which is changed and returned.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture, writable; also a view such as ``rgb[..., ::-1]``.
    P : array_like, shape (3, 4)
        [R | t] without scale, as `calc_pose` returns it.
    ver : array_like, shape (2|3, 68)
        Landmarks in pixels.
    color : (int, int, int)
        BGR.
    line_width : int
        Pixels.
    """
    box = pose_box(P, np.asarray(ver, np.float32))
    if not np.isfinite(box).all():
        _LOGGER.warning("pose box: left out, the face's pose or landmarks are not finite")
        return img
    corners = np.rint(np.clip(box, -_FAR, _FAR) * 2**_SHIFT).astype(int).tolist()
    canvas = np.ascontiguousarray(img)  # OpenCV draws into no view with negative strides
    for i, j in _EDGES:
        cv2.line(canvas, corners[i], corners[j], color, line_width, cv2.LINE_AA, _SHIFT)
    if canvas is not img:
        img[...] = canvas
    return img


def viz_pose(
    img: npt.ArrayLike,
    param_lst: Iterable[npt.ArrayLike],
    ver_lst: Iterable[npt.ArrayLike],
    show_flag: bool = False,
    wfp: PathLike | None = None,
) -> ImageArray:
    """Draw the pose box of each face and log its yaw, pitch and roll (level INFO).

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture; it is not changed.
    param_lst : list of arrays, shape (62,)
        Parameters of each face.
    ver_lst : list of arrays, shape (3, 68)
        Landmarks of each face in pixels.
    show_flag : bool
        Show the result, see `tddfa.drawing.show.show_picture`.
    wfp : path-like, optional
        File to write the result to.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR picture.

    Raises
    ------
    InputError
        If an array has a wrong shape, the lists differ in length or the file cannot be written.
    """
    out = as_picture(img).copy()
    params = [np.asarray(param, np.float32) for param in param_lst]
    faces = as_faces(ver_lst)
    if len(params) != len(faces):
        raise InputError(f"param_lst: expected {len(faces)} entries as ver_lst, got {len(params)}")
    for number, (param, points) in enumerate(zip(params, faces, strict=True), start=1):
        if points.shape[1] < N_JAW_AND_BROWS:
            raise InputError(f"ver_lst: expected 68 landmarks, got {points.shape[1]} points")
        camera, (yaw, pitch, roll) = calc_pose(param)
        _LOGGER.info("face %d: yaw: %.1f, pitch: %.1f, roll: %.1f", number, yaw, pitch, roll)
        side = float(np.ptp(points[:2], axis=1).max())
        line_width = max(1, round(side / 120)) if np.isfinite(side) else 2
        plot_pose_box(out, camera, points, line_width=line_width)
    return deliver(out, wfp, show_flag)
