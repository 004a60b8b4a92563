"""Drawing landmarks: 68 points joined by part, or thousands of dots."""

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.drawing.checks import FloatArray
from tddfa.errors import InputError
from tddfa.ibug68 import N_LANDMARKS, OUTLINES
from tddfa.picture import ImageArray

Color = tuple[int, int, int]

DARK, LIGHT, DOT, DENSE = (40, 30, 20), (255, 255, 255), (60, 200, 255), (120, 230, 40)
# Fraction bits of OpenCV's fixed-point coordinates.
_SHIFT = 4
# Farther points are moved here: their lines still leave the picture, and int32 does not overflow.
_FAR = 2.0**20
# Faces smaller than this (pixels) get no dark rim around lines and dots: it would hide them.
_RIM_FROM = 90
# Lines and dots are as for a face of so many times the picture's longer side at most.
_LARGEST_FACE = 2
# Larger disks are drawn row by row, smaller ones pixel by pixel.
_SMALL_DISK = 8


def face_size(points: FloatArray, img: ImageArray) -> float:
    """Return how large a face is drawn, in pixels.

    The geometric mean of the sides of the box around points (2|3, N) that are finite, but not much
    more than the picture has: where single points are far off, dots would fill it and take long.
    """
    spread = np.ptp(points[:2].astype(np.float64), axis=1) if points.shape[1] else np.zeros(2)
    return min(float(np.sqrt(spread[0] * spread[1])), float(_LARGEST_FACE * max(img.shape[:2])))


def _fixed_point(points: FloatArray) -> npt.NDArray[np.int32]:
    clipped = np.clip(points[:2].T, -_FAR, _FAR)
    return np.ascontiguousarray(np.rint(clipped * 2**_SHIFT), np.int32)


def draw_joined(img: ImageArray, points: FloatArray, lines: bool = True) -> None:
    """Draw 68 landmarks (2|3, 68) in place: parts joined by lines, a dot on each point.

    Sizes follow the face's; light lines with a dark rim show on any ground.

    Raises
    ------
    InputError
        If there are not 68 points.
    """
    if points.shape[1] != N_LANDMARKS:
        raise InputError(
            f"pts: expected {N_LANDMARKS} landmarks, got {points.shape[1]} points; "
            "pass dense_flag=True for a dense mesh"
        )
    finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(points[:2]).all(axis=0))
    if not finite.any():
        return
    size = face_size(points[:, finite], img)
    width = max(1, round(size / 130))
    rim = size / 250 if size >= _RIM_FROM else 0.0
    if lines:
        parts = [(points[:, a:b][:, finite[a:b]], closed) for a, b, closed in OUTLINES]
        strokes = [(DARK, width + 2 * max(1, round(rim)))] if rim else []
        for color, thickness in [*strokes, (LIGHT, width)]:
            for part, closed in parts:
                curve = [_fixed_point(part)]
                cv2.polylines(img, curve, closed, color, thickness, cv2.LINE_AA, _SHIFT)
    radius = max(0.6, size / 95)
    disks = [(DARK, radius + max(0.7, rim))] if rim else []
    for color, extent in [*disks, (DOT, radius)]:
        for x, y in _fixed_point(points[:, finite]).tolist():
            cv2.circle(img, (x, y), round(extent * 2**_SHIFT), color, -1, cv2.LINE_AA, _SHIFT)


def draw_dots(img: ImageArray, points: FloatArray, radius: int, color: Color) -> None:
    """Draw a disk around each of many points (2|3, N) in place, all with a few array operations.

    Points beyond the picture and points that are not finite are left out. A pixel at dx, dy from
    the point is in its disk if ``dx² + dy² <= radius² + radius / 2``.
    """
    height, width = img.shape[:2]
    reach = radius + 1
    with np.errstate(invalid="ignore"):  # comparisons with NaN are false
        near = (np.abs(points[0] - (width - 1) / 2) < width / 2 + reach) & (
            np.abs(points[1] - (height - 1) / 2) < height / 2 + reach
        )
    columns, rows = np.rint(points[:2, near]).astype(np.intp)
    if radius > _SMALL_DISK:
        _draw_large_disks(img, columns, rows, radius, color)
        return
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dx * dx + dy * dy > radius * radius + radius / 2:
                continue
            y, x = rows + dy, columns + dx
            valid = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            img[y[valid], x[valid]] = color


def _draw_large_disks(
    img: ImageArray,
    columns: npt.NDArray[np.intp],
    rows: npt.NDArray[np.intp],
    radius: int,
    color: Color,
) -> None:
    """Draw disks as the row's parts that they cover: time follows the picture, not the radius."""
    width = img.shape[1]
    for y, line in enumerate(img):
        rest = radius * radius + radius / 2 - (rows - y) ** 2.0
        reach = np.sqrt(rest[rest >= 0]).astype(np.intp)
        begin = np.clip(columns[rest >= 0] - reach, 0, width)
        end = np.clip(columns[rest >= 0] + reach + 1, 0, width)
        changes = np.bincount(begin, minlength=width + 1) - np.bincount(end, minlength=width + 1)
        line[np.cumsum(changes)[:width] > 0] = color
