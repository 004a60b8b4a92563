"""Accuracy of landmarks: NME per yaw bin, mean shift, cumulative error, openings, pose, jitter.

All points are (n, 2, 68) or (n, 3, 68) arrays in picture pixels, y down.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tddfa.ibug68 import LID_PAIRS, LIP_CORNERS, LIP_PAIRS, OUTER_EYE_CORNERS

Array = npt.NDArray[np.floating]

YAW_BINS = ((0.0, 30.0), (30.0, 60.0), (60.0, 90.0))
# More than this between two frames, in sizes of the face, is a cut and no shaking.
LARGEST_SHAKE = 0.3


@dataclass(frozen=True)
class NmeReport:
    """Normalized mean error (NME) of n faces, in percent.

    Attributes
    ----------
    per_face : ndarray, shape (n,)
    bins : tuple of float
        Mean of the faces whose yaw, without sign, is in [0, 30], (30, 60], (60, 90]; NaN for an
        empty bin or where yaws are unknown.
    mean_of_bins : float
        Mean of the bins that hold faces: the headline figure on AFLW2000-3D.
    plain : float
        Mean of all faces.
    """

    per_face: Array
    bins: tuple[float, ...]
    mean_of_bins: float
    plain: float


def box_size(points: Array) -> Array:
    """Return the square root of the area of each face's bounding box, (n,), in pixels."""
    extent = np.ptp(np.asarray(points)[:, :2], axis=2)
    return np.sqrt(extent.prod(axis=1))


def eye_corner_distance(points: Array) -> Array:
    """Return the distance of the outer eye corners, (n,), in pixels."""
    left, right = (np.asarray(points)[:, :2, k] for k in OUTER_EYE_CORNERS)
    return np.linalg.norm(left - right, axis=1)


def nme(predicted: Array, truth: Array, size: Array, yaw: Array | None = None) -> NmeReport:
    """Return the NME: mean distance over (x, y), divided by the face's size.

    Parameters
    ----------
    predicted, truth : ndarray, shape (n, 2 | 3, K)
        Points in pixels; z is ignored.
    size : ndarray, shape (n,)
        What to divide by, in pixels.
    yaw : ndarray, shape (n,), optional
        Degrees; only its magnitude counts.

    Raises
    ------
    ValueError
        If the shapes do not agree or there is no face.
    """
    if len(predicted) == 0 or predicted[:, :2].shape != truth[:, :2].shape:
        raise ValueError(f"expected equal shapes, got {predicted.shape} and {truth.shape}")
    distance = np.linalg.norm(predicted[:, :2] - truth[:, :2], axis=1).mean(axis=1)
    error = 100.0 * distance / size
    means = [float("nan")] * len(YAW_BINS)
    if yaw is not None:
        for i, (low, high) in enumerate(YAW_BINS):
            turn = np.abs(yaw)
            inside = (turn <= high) & ((turn > low) | (low == 0))
            if inside.any():
                means[i] = float(error[inside].mean())
    filled = [mean for mean in means if np.isfinite(mean)]
    headline = float(np.mean(filled)) if filled else float("nan")
    return NmeReport(error, tuple(means), headline, float(error.mean()))


def mean_shift(predicted: Array, truth: Array, size: Array) -> Array:
    """Return the mean of (predicted - truth) / size over points and faces, (2,), in percent."""
    offset = (predicted[:, :2] - truth[:, :2]).mean(axis=2) / size[:, None]
    return 100.0 * offset.mean(axis=0)


def without_shift(predicted: Array, truth: Array, size: Array) -> Array:
    """Return the predicted points (n, 2, K) after removal of `mean_shift`."""
    shift = mean_shift(predicted, truth, size) / 100.0
    return predicted[:, :2] - (shift * size[:, None])[:, :, None]


def cumulative_error(per_face: Array, thresholds: Array) -> Array:
    """Return the share of faces with an error up to each threshold (CED curve)."""
    return np.searchsorted(np.sort(per_face), thresholds, side="right") / len(per_face)


def lid_gap(points: Array) -> Array:
    """Return the opening of both eyes, (n, 2): mean lid distance over the eye's width."""
    return np.stack([_gap(points, eye[:2], eye[2]) for eye in LID_PAIRS], axis=1)


def lip_gap(points: Array) -> Array:
    """Return the opening of the mouth, (n,): mean inner lip distance over the inner width."""
    return _gap(points, LIP_PAIRS, LIP_CORNERS)


def _gap(points: Array, pairs: tuple[tuple[int, int], ...], corners: tuple[int, int]) -> Array:
    flat = np.asarray(points)[:, :2]
    gaps = [np.linalg.norm(flat[:, :, up] - flat[:, :, low], axis=1) for up, low in pairs]
    width = np.linalg.norm(flat[:, :, corners[0]] - flat[:, :, corners[1]], axis=1)
    return np.mean(gaps, axis=0) / np.maximum(width, 1e-6)


def rotation_error(predicted: Array, truth: Array) -> Array:
    """Return the angle between two poses of the same 68 points in 3D, (n,), in degrees.

    The rotation of the best similarity transform (Umeyama, PAMI 1991) from the true to the
    predicted points; needs no common face model, only the same landmarks.
    """
    angles = []
    for found, true in zip(predicted, truth, strict=True):
        a, b = (p - p.mean(axis=1, keepdims=True) for p in (found[:3], true[:3]))
        left, _, right = np.linalg.svd(a @ b.T)
        left[:, -1] *= np.sign(np.linalg.det(left @ right))
        cosine = (np.trace(left @ right) - 1) / 2
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return np.array(angles)


def jitter(track: Array) -> float:
    """Return the shaking of one face's track in percent of its size.

    Parameters
    ----------
    track : ndarray, shape (frames, 2 | 3, 68)
        Landmarks in consecutive frames.

    Returns
    -------
    float
        Mean length of the second difference p[t-1] - 2 p[t] + p[t+1], which a steady motion
        leaves at zero, over the root of the bounding box's area.
    """
    second = np.diff(np.asarray(track)[:, :2], n=2, axis=0)
    length = np.linalg.norm(second, axis=1).mean(axis=1) / box_size(track[1:-1])
    return float(100.0 * length[length < LARGEST_SHAKE].mean())
