"""Boxes of faces: the detector's convention, overlaps, and the network's anchors matched to them.

Boxes are float32 ``[xmin, ymin, xmax, ymax]`` in pixels.
"""

import numpy as np
import numpy.typing as npt

from FaceBoxes.box_coding import encode
from FaceBoxes.prior_box import prior_boxes
from tddfa.detector_box import ROI_BELOW_BOX, ROI_PER_BOX
from tddfa.roi import parse_roi_box_from_landmark

FloatArray = npt.NDArray[np.float32]

# Measured with the reference's detector on annotated photographs: its boxes are 0.76 times as wide
# as high, and its ROI is 1.22 times that of the face's landmarks.
ROI_PER_LANDMARKS, ABOVE_LANDMARKS = 1.22, 0.004
ASPECT = 0.76
# Width and height of a box of mean side 1.
BOX_SHAPE = np.array([2 * ASPECT, 2.0], np.float32) / (1 + ASPECT)
MATCHED, UNDECIDED = 0.35, 0.3
# So many boxes around a face are close to it.
NEAR = 1.6


def box_of_roi(roi: npt.ArrayLike) -> FloatArray:
    """Return the box of a detector's usual proportions whose ROI this is."""
    left, top, right, bottom = np.asarray(roi, np.float64)
    side = (right - left) / ROI_PER_BOX
    center = np.array([(left + right) / 2, (top + bottom) / 2 - ROI_BELOW_BOX * side])
    return box_around(center, side)


def box_around(center: npt.ArrayLike, side: float) -> FloatArray:
    """Return a box with the given center and mean of width and height."""
    middle, half = np.asarray(center, np.float64), BOX_SHAPE * side / 2
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def box_of_landmarks(points: npt.ArrayLike) -> FloatArray:
    """Return the box that a detector would give a face with these points (2 | 3, 68)."""
    left, top, right, bottom = parse_roi_box_from_landmark(points)
    side = right - left
    x, y = (left + right) / 2, (top + bottom) / 2 - ABOVE_LANDMARKS * side
    half = ROI_PER_LANDMARKS * side / 2
    return box_of_roi([x - half, y - half, x + half, y + half])


def moved_areas(areas: FloatArray, matrix: npt.NDArray[np.floating]) -> FloatArray:
    """Return the upright rectangles (n, 4) around moved rectangles."""
    x, y = areas[:, [0, 2, 0, 2]], areas[:, [1, 1, 3, 3]]
    corners = np.stack([x, y], axis=2) @ matrix[:, :2].T + matrix[:, 2]
    low, high = corners.min(axis=1), corners.max(axis=1)
    return np.concatenate([low, high], axis=1).astype(np.float32).reshape(-1, 4)


def grown(boxes: FloatArray, factor: float) -> FloatArray:
    """Return boxes (n, 4) of `factor` times their size around the same centers."""
    center, half = (boxes[:, :2] + boxes[:, 2:4]) / 2, (boxes[:, 2:4] - boxes[:, :2]) / 2
    out = np.concatenate([center - factor * half, center + factor * half], axis=1)
    return np.asarray(out, np.float32)


def overlaps(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the intersection over union of all pairs, (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:4], second[None, :, 2:4])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(b[:, 2:4] - b[:, :2], 0, None).prod(axis=1) for b in (first, second)]
    union = areas[0][:, None] + areas[1] - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


def merge(given: FloatArray, found: FloatArray) -> FloatArray:
    """Return the found boxes, and those of the given ones that none of them overlaps by 0.3."""
    found = found[:, :4]
    if not len(found) or not len(given):
        return np.concatenate([given, found]).astype(np.float32)
    alone = overlaps(given, found).max(axis=1) < 0.3
    return np.concatenate([given[alone], found]).astype(np.float32)


def match(
    boxes: FloatArray, ignored: FloatArray, size: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Say for each anchor what the network shall answer.

    Parameters
    ----------
    boxes : ndarray, shape (n, 4)
        Faces.
    ignored : ndarray, shape (m, 4)
        Where there may be a face: anchors there count neither way.
    size : (int, int)
        Height and width of the picture.

    Returns
    -------
    classes : ndarray, shape (P,), int64
        1 face, 0 background, -1 ignored. A face has the anchors with an IoU from 0.35 and its best
        one; those with 0.3 to 0.35 are ignored.
    offsets : ndarray, shape (P, 4), float32
        The encoded box of the best face of each anchor.
    """
    priors = prior_boxes(*size)
    scale = np.array([size[1], size[0]] * 2, np.float32)
    corners = np.concatenate(
        [priors[:, :2] - priors[:, 2:] / 2, priors[:, :2] + priors[:, 2:] / 2], 1
    )
    corners = corners * scale
    classes = np.zeros(len(priors), np.int64)
    offsets = np.zeros((len(priors), 4), np.float32)
    if len(ignored):
        classes[overlaps(corners, ignored).max(axis=1) > UNDECIDED] = -1
    if len(boxes):
        overlap = overlaps(corners, boxes)
        best = overlap.argmax(axis=1)
        highest = overlap.max(axis=1)
        classes[highest >= UNDECIDED] = -1
        classes[highest >= MATCHED] = 1
        own = overlap.argmax(axis=0)
        best[own], classes[own] = np.arange(len(boxes)), 1
        offsets[:] = encode(boxes[best] / scale, priors)
    return classes, offsets


def told(
    faces: FloatArray, sure: FloatArray, empty: FloatArray, size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Say at which anchors boxes know better than any other detector.

    Parameters
    ----------
    faces : ndarray, shape (n, 4)
        All faces.
    sure : ndarray, shape (m, 4)
        Areas around faces that another detector may well miss.
    empty : ndarray, shape (k, 4)
        Areas without a face but for those in `faces`, close to which another detector still has
        its say.
    size : (int, int)
        Height and width of the picture.

    Returns
    -------
    ndarray, shape (P,), bool
    """
    center = prior_boxes(*size)[:, :2] * np.array([size[1], size[0]], np.float32)

    def inside(areas: FloatArray) -> npt.NDArray[np.bool_]:
        within = (center[:, None] >= areas[:, :2]) & (center[:, None] <= areas[:, 2:4])
        return np.asarray(np.any(np.all(within, axis=2), axis=1))

    return inside(sure) | (inside(empty) & ~inside(grown(faces, NEAR)))
