r"""Rolled faces: look at a ROI turned upright, and bring what is found back to the ROI.

A network that has seen faces within 30 degrees of upright is at home in a crop that is turned by
the face's roll about the ROI's center; the parameters found there convert exactly.

::

    picture          turned crop        with c = ((size + 1) / 2, (size + 1) / 2, 0), the center
    +-------+        +-------+          in the crop's 1-based frame, and Z(a) a rotation about
    |  .-.  |  look  |  .-.  |          the z axis:
    | ( \ ) | -----> | ( | ) |
    |  '-'  |        |  '-'  |            s·R = Z(a)·(s·R)'       t = Z(a)·(t' - c) + c
    +-------+        +-------+          shape and expression stay as they are
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.params import N_CAMERA, FloatArray, split_params
from tddfa.pixel_frames import to_centers
from tddfa.roi import ImageArray, crop_img, network_input

__all__ = ["LEAST_TURN", "in_plane_roll", "needed_turns", "turn_params", "turned_input"]

# ROIs are turned from this roll on, in degrees. Below, the network is at home.
LEAST_TURN = 40.0


def in_plane_roll(params: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return by how much faces lean in the picture, (n,), in degrees within [-180, 180].

    The direction of the model's vertical axis. Unlike the roll of `tddfa.pose`, which turns about
    the same axis as the pitch of a full profile, it is defined at any yaw.

    Parameters
    ----------
    params : array_like, shape (n, 62 | 72 | 141)
        De-normalized parameters.

    Returns
    -------
    ndarray, shape (n,)
        0 for upright faces, positive where the top leans towards the picture's left.

    Examples
    --------
    >>> lying = np.zeros((1, 62))
    >>> lying[0, [1, 4, 10]] = -1, 1e-9, 1  # the model's y axis points to the left
    >>> in_plane_roll(lying).round().tolist()
    [90.0]
    """
    up = split_params(params).linear[..., :2, 1].astype(np.float64)
    return np.degrees(np.arctan2(-up[..., 0], up[..., 1]))


def needed_turns(rolls: npt.ArrayLike, least: float = LEAST_TURN) -> npt.NDArray[np.float64]:
    """Return the angles (n,) by which ROIs are turned: the rolls where they are large, else 0.

    Parameters
    ----------
    rolls : array_like, shape (n,)
        Degrees, see `in_plane_roll`; NaN where unknown.
    least : float
        Smallest roll, without sign, that is turned.

    Examples
    --------
    >>> needed_turns([10.0, -170.0, float("nan")]).tolist()
    [0.0, -170.0, 0.0]
    """
    angles = np.asarray(rolls, np.float64)
    return np.where(np.abs(angles) >= least, angles, 0.0)


def turned_input(
    img: ImageArray, roi_boxes: list[list[float]], angles: npt.ArrayLike, size: int = 120
) -> FloatArray:
    """Sample ROIs, each turned about its center, into one batch for the network.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    roi_boxes : list of n ROIs
        ``[xmin, ymin, xmax, ymax]`` each, in pixels.
    angles : array_like, shape (n,)
        Degrees. A face that leans towards the picture's left by this much (`in_plane_roll`) is
        upright in the batch. An angle of 0 gives what `tddfa.roi.network_input` gives.
    size : int
        Side of the network's input.

    Returns
    -------
    ndarray, shape (n, 3, size, size), float32
        BGR planes, (x - 127.5) / 128; black beyond the picture.

    Raises
    ------
    InputError
        If the numbers of ROIs and angles differ, an angle is not finite, or a ROI is malformed.
    """
    turns = _checked(angles, len(roi_boxes))
    batch = network_input(img, roi_boxes, size)
    for planes, box, angle in zip(batch, roi_boxes, turns, strict=True):
        if angle == 0:
            continue
        # The same whole pixels as without a turn; a square that is turned reaches beyond them.
        left, top, right, bottom = (round(float(edge)) for edge in box[:4])
        center = np.array([left + right, top + bottom]) / 2
        half = np.ceil(np.hypot(right - left, bottom - top) / 2) + 1
        near = crop_img(img, np.r_[center - half, center + half])
        corner = np.round(center - half)
        scale = np.diag([(right - left) / size, (bottom - top) / size])
        linear = _rotation(-angle) @ scale  # the picture's y axis points down
        middle = to_centers(center - corner)  # as OpenCV counts
        offset = middle - linear @ np.full(2, (size - 1) / 2)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(near, np.c_[linear, offset], (size, size), flags=flags)
        planes[:] = (crop.transpose(2, 0, 1).astype(np.float32) - 127.5) / 128.0
    return batch


def turn_params(params: npt.ArrayLike, angles: npt.ArrayLike, size: int = 120) -> FloatArray:
    """Bring parameters found in turned ROIs back to the ROIs as they lie in the picture.

    Parameters
    ----------
    params : array_like, shape (n, 62 | 72 | 141)
        De-normalized parameters of a batch of `turned_input`.
    angles : array_like, shape (n,)
        The same degrees.
    size : int
        Side of the network's input.

    Returns
    -------
    ndarray, of the same shape, float32
        What `tddfa.Aligner.recon_vers` takes together with the ROIs. Exact for square ROIs.

    Raises
    ------
    InputError
        If the numbers of vectors and angles differ, or an angle is not finite.

    Examples
    --------
    >>> params = np.zeros((1, 62))
    >>> params[0, [0, 5, 10]] = 1
    >>> in_plane_roll(turn_params(params, [30])).round(3).tolist()
    [30.0]
    """
    found = np.array(params, np.float32)
    if found.ndim != 2:
        raise InputError(f"parameters: expected shape (n, 62), got {found.shape}")
    split_params(found)  # names a wrong length
    camera = found[:, :N_CAMERA].reshape(-1, 3, 4).astype(np.float64)
    center = (size + 1) / 2
    for matrix, angle in zip(camera, _checked(angles, len(found)), strict=True):
        turn = _rotation(angle)
        matrix[:2, 3] -= center
        matrix[:2] = turn @ matrix[:2]
        matrix[:2, 3] += center
    found[:, :N_CAMERA] = camera.reshape(len(found), N_CAMERA)
    return found


def _rotation(degrees: float) -> npt.NDArray[np.float64]:
    """Return the rotation (2, 2) that turns x towards y."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _checked(angles: npt.ArrayLike, count: int) -> Sequence[float]:
    turns = np.asarray(angles, np.float64)
    if turns.shape != (count,) or not np.isfinite(turns).all():
        raise InputError(f"angles: expected {count} finite numbers, got {turns.tolist()}")
    return [float(turn) for turn in turns]
