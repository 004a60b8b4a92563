"""The pose: angles from a camera, and the box that shows them."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa import pose as _pose
from tddfa.compat.pictures import as_uint8
from tddfa.compat.units import to_basel_units
from tddfa.drawing.pose_box import N_JAW_AND_BROWS, box_corners, plot_pose_box
from tddfa.drawing.show import deliver
from tddfa.errors import InputError
from tddfa.io.atomic import PathLike
from tddfa.params import N_CAMERA, FloatArray
from tddfa.pose import decompose_camera, rotation_to_angles
from utils.functions import calc_hypotenuse

__all__ = [
    "P2sRt",
    "build_camera_box",
    "calc_hypotenuse",
    "calc_pose",
    "matrix2angle",
    "plot_pose_box",
    "to_basel_units",
    "viz_pose",
]


def P2sRt(P: npt.ArrayLike) -> tuple[float, FloatArray, FloatArray]:  # noqa: N802, N803 (the reference's)
    """Split a camera (3, 4), [s·R | t], into s, R (3, 3) and t (3,).

    s is in crop pixels per unit of the face model: about 0.5 with ours, in millimeters, about
    0.0005 with Basel's, in micrometers; see `to_basel_units`.
    """
    return decompose_camera(P)


def matrix2angle(R: npt.ArrayLike) -> tuple[float, float, float]:  # noqa: N803 (likewise)
    """Return yaw, pitch, roll in **radians** of a rotation matrix (3, 3)."""
    yaw, pitch, roll = (math.radians(angle) for angle in rotation_to_angles(R))
    return yaw, pitch, roll


def build_camera_box(rear_size: float = 90) -> FloatArray:
    """Return the corners of the pose box, (10, 3): two closed squares, the rear one first.

    Parameters
    ----------
    rear_size : float
        Half the side of the rear square; the front one is 4/3 as large and as far before it.
    """
    corners = box_corners(rear_size)
    return np.asarray(corners[[0, 1, 2, 3, 0, 4, 5, 6, 7, 4]], np.float32)


def calc_pose(param: npt.ArrayLike) -> tuple[FloatArray, list[float]]:
    """Return the camera without scale, (3, 4), and [yaw, pitch, roll] in degrees.

    Parameters
    ----------
    param : array_like, shape (12 or more,)
        Parameters of a face; the first 12 numbers, the camera (3, 4), say it all.

    Raises
    ------
    InputError
        If it is no such vector.
    """
    numbers = np.asarray(param, np.float32)
    if numbers.ndim != 1 or numbers.size < N_CAMERA:
        raise InputError(f"param: expected {N_CAMERA} or more numbers, got shape {numbers.shape}")
    return _pose.calc_pose(np.pad(numbers[:N_CAMERA], (0, 50)))  # what is behind does not count


def viz_pose(
    img: npt.NDArray[Any],
    param_lst: Iterable[npt.ArrayLike],
    ver_lst: Iterable[npt.ArrayLike],
    show_flag: bool = False,
    wfp: PathLike | None = None,
) -> npt.NDArray[Any]:
    """Draw the pose box of each face **into** `img` and print its angles in degrees.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture; changed, unless it is read-only. Floats from 0 to 255 are allowed.
    param_lst : list of arrays, shape (12 or more,)
        Parameters of each face, see `calc_pose`.
    ver_lst : list of arrays, shape (3, 68)
        Landmarks of each face in pixels.
    show_flag : bool
        Show the result.
    wfp : path-like, optional
        File to write the result to.

    Returns
    -------
    ndarray
        `img`; a copy if it is read-only.
    """
    if not isinstance(img, np.ndarray) or img.ndim != 3 or img.shape[2] != 3:
        raise InputError(f"img: expected a BGR picture (H, W, 3), got {np.shape(img)}")
    out = img if img.flags.writeable else img.copy()
    canvas = as_uint8(out)
    for param, ver in zip(param_lst, ver_lst, strict=False):
        points = np.asarray(ver, np.float32)
        if points.ndim != 2 or points.shape[1] < N_JAW_AND_BROWS:
            raise InputError(f"ver_lst: expected landmarks (3, 68), got {points.shape}")
        camera, (yaw, pitch, roll) = calc_pose(param)
        canvas = plot_pose_box(canvas, camera, points)
        print(f"yaw: {yaw:.1f}, pitch: {pitch:.1f}, roll: {roll:.1f}")
    shown = deliver(canvas, wfp, show_flag)
    if canvas is out:
        return shown  # the same memory, but a notebook does not print it as numbers
    out[...] = canvas
    return out
