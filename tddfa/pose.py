"""Head pose from the camera matrix.

Signs, seen in the picture (see docs/conventions.md): positive yaw turns the face towards the
picture's left, positive pitch lowers it, positive roll tilts its top towards the picture's left.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tddfa.params import FloatArray, split_params

# Beyond this |sin(yaw)| pitch and roll turn about the same axis and only their sum is defined.
GIMBAL_LIMIT = 0.998


@dataclass(frozen=True)
class HeadPose:
    """Orientation and scale of one face.

    Attributes
    ----------
    yaw, pitch, roll : float
        Degrees; yaw in [-90, 90], the others in [-180, 180].
    scale : float
        Pixels of the 120x120 crop per unit of the face model.
    rotation : ndarray, shape (3, 3), float32
        Rotation from the model's frame to the crop's (x right, y up, z to the viewer).
    translation : ndarray, shape (3,), float32
        Pixels of the crop.
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    rotation: FloatArray
    translation: FloatArray


def decompose_camera(camera: npt.ArrayLike) -> tuple[float, FloatArray, FloatArray]:
    """Split a 3x4 matrix [s·R | t] into scale, rotation and translation.

    The scale is the mean norm of the first two rows; the third row of R is their cross product, so
    that R is right-handed even where the regressed third row is not.

    Parameters
    ----------
    camera : array_like, shape (3, 4)
        Scaled-orthographic camera.

    Returns
    -------
    scale : float
    rotation : ndarray, shape (3, 3), float32
    translation : ndarray, shape (3,), float32
    """
    matrix = np.asarray(camera, np.float32).reshape(3, 4)
    norms = np.linalg.norm(matrix[:2, :3], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = matrix[:2, :3] / norms[:, None]
    rotation = np.stack([rows[0], rows[1], np.cross(rows[0], rows[1])])
    return float(norms.mean()), rotation, matrix[:, 3].copy()


def rotation_to_angles(rotation: npt.ArrayLike) -> tuple[float, float, float]:
    """Return (yaw, pitch, roll) in degrees of a rotation matrix (3, 3).

    yaw = asin R20, pitch = atan2(R21, R22), roll = atan2(R10, R00), the last two divided by
    cos(yaw). Near yaw = ±90° roll is set to 0 and pitch takes what is left.
    """
    r = np.asarray(rotation, np.float64)
    if abs(r[2, 0]) > GIMBAL_LIMIT:
        sign = math.copysign(1.0, r[2, 0])
        yaw = sign * math.pi / 2
        pitch = math.atan2(-sign * r[0, 1], -sign * r[0, 2])
        roll = 0.0
    else:
        yaw = math.asin(r[2, 0])
        cos_yaw = math.cos(yaw)
        pitch = math.atan2(r[2, 1] / cos_yaw, r[2, 2] / cos_yaw)
        roll = math.atan2(r[1, 0] / cos_yaw, r[0, 0] / cos_yaw)
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


def head_pose(param: npt.ArrayLike) -> HeadPose:
    """Return the pose that a parameter vector (62, 72 or 141 numbers) describes."""
    parts = split_params(param)
    scale, rotation, translation = decompose_camera(np.hstack([parts.linear, parts.offset]))
    return HeadPose(*rotation_to_angles(rotation), scale, rotation, translation)


def calc_pose(param: npt.ArrayLike) -> tuple[FloatArray, list[float]]:
    """Return the camera without scale, (3, 4), and [yaw, pitch, roll] in degrees.

    The name that users of the reference know; see `head_pose`.

    Examples
    --------
    >>> camera, angles = calc_pose(np.eye(1, 62, 0)[0] + np.eye(1, 62, 5)[0])
    >>> [round(angle) for angle in angles]
    [0, 0, 0]
    """
    pose = head_pose(param)
    return np.c_[pose.rotation, pose.translation], [pose.yaw, pose.pitch, pose.roll]
