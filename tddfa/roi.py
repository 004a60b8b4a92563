"""Region of interest (ROI) of a face: where the 120x120 crop is taken from.

::

    box (w x h)                         ROI: a square of side 1.58·(w+h)/2
    +-------+                           +-------------+
    |       |     centre moved down     |  +-------+  |
    |   +   |   ------------------->    |  |       |  |
    |       |     by 0.14·(w+h)/2       |  |   +   |  |
    +-------+                           |  +-------+  |
                                        +-------------+
"""

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.ibug68 import N_LANDMARKS
from tddfa.mesh_keypoints import shipped_keypoints
from tddfa.params import FloatArray
from tddfa.picture import ImageArray

# A crop is cut out before it is resized; a broken ROI must not ask for gigabytes.
MAX_ROI_SIDE = 32_768


def parse_roi_box_from_bbox(bbox: npt.ArrayLike) -> list[float]:
    """Return the square ROI of a detector's box.

    Parameters
    ----------
    bbox : array_like, shape (4,) or (5,)
        ``[xmin, ymin, xmax, ymax(, score)]`` in pixels.

    Returns
    -------
    list of float
        ``[xmin, ymin, xmax, ymax]`` of the ROI in pixels; it may reach beyond the picture.
    """
    left, top, right, bottom = (float(value) for value in np.asarray(bbox).ravel()[:4])
    mean_side = (right - left + bottom - top) / 2
    center_x = right - (right - left) / 2
    center_y = bottom - (bottom - top) / 2 + mean_side * 0.14
    side = float(int(mean_side * 1.58))
    x, y = center_x - side / 2, center_y - side / 2
    return [x, y, x + side, y + side]


def parse_roi_box_from_landmark(
    pts: npt.ArrayLike, keypoints: npt.ArrayLike | None = None
) -> list[float]:
    """Return the square ROI around landmarks.

    The square of the larger side around the points' bounding box; its diagonal is the ROI's side.
    All vertices of a mesh stand for the landmarks among them: how far a mesh goes beyond its
    landmarks is the face model's own affair, and where it goes far, each ROI would be larger than
    the one before.

    Parameters
    ----------
    pts : array_like, shape (2, N) or (3, N)
        Landmarks in pixels, or the vertices of a mesh.
    keypoints : array_like, shape (K,), optional
        Columns of `pts` that are the landmarks. By default all, or, if there are as many points as
        the face model that ships has vertices, its 68 key points. Vertices of a face model of your
        own need the argument, or `tddfa.aligner.Aligner`, which knows its face model.

    Returns
    -------
    list of float
        ``[xmin, ymin, xmax, ymax]`` in pixels.

    Raises
    ------
    InputError
        If there are no points, they are of another shape, or have no such columns.

    Examples
    --------
    >>> [round(edge) for edge in parse_roi_box_from_landmark([[10, 30], [20, 50]])]
    [-1, 14, 41, 56]
    """
    points = _checked(pts)
    if keypoints is not None:
        columns = np.asarray(keypoints)
        if columns.ndim != 1 or columns.dtype.kind not in "iu" or not columns.size:
            raise InputError("keypoints: expected one or more indices of points")
        if columns.min() < 0 or columns.max() >= points.shape[1]:
            raise InputError(f"keypoints: expected indices in 0..{points.shape[1] - 1}")
        points = points[:, columns]
    elif points.shape[1] > N_LANDMARKS:
        shipped = shipped_keypoints()
        if shipped is not None and points.shape[1] == shipped.n_vertices:
            points = points[:, shipped.vertices]
    return square_around(points)


def _checked(pts: npt.ArrayLike) -> FloatArray:
    points = np.asarray(pts, np.float32)
    if points.ndim != 2 or points.shape[0] not in (2, 3) or points.shape[1] == 0:
        raise InputError(f"landmarks: expected shape (2|3, N) with N > 0, got {points.shape}")
    return points


def square_around(pts: npt.ArrayLike) -> list[float]:
    """Return the ROI around points (2 | 3, N) as they are, `parse_roi_box_from_landmark`'s rule.

    Raises
    ------
    InputError
        If there are no points or they are of another shape.
    """
    points = _checked(pts)
    low, high = points[:2].min(axis=1), points[:2].max(axis=1)
    center = (low + high) / 2
    radius = max(high - low) / 2
    side = float(np.float32(2 * radius) * np.float32(np.sqrt(2)))
    x, y = float(center[0]) - side / 2, float(center[1]) - side / 2
    return [x, y, x + side, y + side]


def crop_img(img: ImageArray, roi_box: npt.ArrayLike) -> ImageArray:
    """Cut out a ROI; parts beyond the picture are black.

    Parameters
    ----------
    img : ndarray, shape (H, W) or (H, W, C), uint8
        Picture.
    roi_box : array_like, shape (4,)
        ``[xmin, ymin, xmax, ymax]`` in pixels, rounded to the nearest integer.

    Returns
    -------
    ndarray, shape (ymax - ymin, xmax - xmin[, C]), uint8
        A view of `img` where the ROI lies inside it.

    Raises
    ------
    InputError
        If the ROI is not finite, empty, or larger than 32768 pixels.
    """
    box = np.asarray(roi_box, np.float64).ravel()[:4]
    if box.size != 4 or not np.isfinite(box).all():
        raise InputError(f"ROI: expected four finite numbers, got {np.asarray(roi_box).tolist()}")
    if np.abs(box).max() > 2**30:
        raise InputError(f"ROI: expected coordinates near the picture, got {box.tolist()}")
    left, top, right, bottom = (round(value) for value in box.tolist())
    width, height = right - left, bottom - top
    if not (0 < width <= MAX_ROI_SIDE and 0 < height <= MAX_ROI_SIDE):
        raise InputError(f"ROI: expected sides of 1 to {MAX_ROI_SIDE} px, got {width}x{height}")
    rows, columns = img.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, columns), min(bottom, rows)
    if (x0, y0, x1, y1) == (left, top, right, bottom):
        return img[y0:y1, x0:x1]
    crop = np.zeros((height, width, *img.shape[2:]), np.uint8)
    if x0 < x1 and y0 < y1:
        crop[y0 - top : y1 - top, x0 - left : x1 - left] = img[y0:y1, x0:x1]
    return crop


def network_input(img: ImageArray, roi_boxes: list[list[float]], size: int = 120) -> FloatArray:
    """Crop, resize and normalize all faces of a picture into one batch.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    roi_boxes : list of n ROIs
        ``[xmin, ymin, xmax, ymax]`` each.
    size : int
        Side of the network's input.

    Returns
    -------
    ndarray, shape (n, 3, size, size), float32
        BGR planes, (x - 127.5) / 128.
    """
    import cv2  # takes a while: networks are opened meanwhile

    batch = np.empty((len(roi_boxes), 3, size, size), np.float32)
    for planes, box in zip(batch, roi_boxes, strict=True):
        crop = cv2.resize(crop_img(img, box), (size, size), interpolation=cv2.INTER_LINEAR)
        planes[:] = crop.transpose(2, 0, 1)
    batch -= 127.5
    batch /= 128.0
    return batch
