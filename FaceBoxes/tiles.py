"""Search pictures piece by piece: large and long ones, and any one finer than as a whole.

A detector shrinks a picture to its limits; a panorama of 12000 x 1500 pixels becomes a strip of 135
pixels' height in which no face is left. Such pictures are searched once more at a finer scale, in
tiles that overlap by more than a face::

    +---------+.....+---------+
    |     o   |  o  |         |     a face smaller than the overlap lies whole in one tile;
    |    tile 1  |  |   tile 2|     a larger one was found in the shrunken picture
    +---------+.....+---------+
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from FaceBoxes.merging import each_once
from FaceBoxes.preprocess import fit_scale
from FaceBoxes.settings import DetectorSettings
from tddfa.detector import Detector
from tddfa.errors import InputError

# Pictures are searched in tiles without being asked to if one side is so many times the other, or
# if they have so many pixels.
_LONG, _LARGE = 3.0, 50_000_000
# Scale of the tiles of a large picture, relative to that of the whole.
_FINER = 2.5
# Network pixels of all tiles together, in whole inputs of the detector: bounds the time.
_MOST_INPUTS = 24.0
# Share of a tile's shorter side that neighbors have in common.
_OVERLAP = 0.45
# Tiles this little finer than the whole picture are not worth it.
_LEAST_GAIN = 1.25
# Network pixels from an inner border of a tile within which a face may be cut off.
_BORDER = 3.0


@dataclass(frozen=True)
class Tiling:
    """Where to look, and how finely.

    Attributes
    ----------
    scale : float
        Network pixels per pixel of the picture.
    tiles : list of (left, top, right, bottom)
        Parts of the picture, in its pixels.
    """

    scale: float
    tiles: list[tuple[int, int, int, int]]


def plan_tiles(
    height: int, width: int, settings: DetectorSettings, detect_scale: float | None = None
) -> Tiling | None:
    """Decide whether and how a picture is searched in tiles.

    Parameters
    ----------
    height, width : int
        Size of the picture in pixels.
    settings : DetectorSettings
        Its limits are the size of a tile.
    detect_scale : float, optional
        Network pixels per pixel of the picture: 1 for full resolution, 0 for no tiles. By default
        pictures that are very long or very large are searched as finely as a bounded time allows.

    Returns
    -------
    Tiling or None
        None where the whole picture at once is fine enough.

    Raises
    ------
    InputError
        If `detect_scale` is negative or above 1.
    """
    if detect_scale is not None and not 0 <= detect_scale <= 1:
        raise InputError(f"detect_scale: expected 0 to 1, got {detect_scale}")
    limits = settings.max_height or height, settings.max_width or width
    whole = fit_scale(height, width, *limits)
    scale = _own_choice(height, width, limits, whole) if detect_scale is None else detect_scale
    if scale < whole * _LEAST_GAIN:
        return None
    return _tiling(height, width, limits, scale, _OVERLAP * min(limits))


def plan_finer(
    height: int, width: int, settings: DetectorSettings, factor: float, overlap: float
) -> Tiling:
    """Cut a picture into tiles in which small faces are `factor` times as large to the detector.

    Parameters
    ----------
    height, width : int
        Size of the picture in pixels.
    settings : DetectorSettings
        Its limits are the size of a tile, the default ones where it has none.
    factor : float
        Scale of the tiles relative to that at which the whole picture is searched.
    overlap : float
        Network pixels that neighbors have in common, more than the faces looked for; 45 % of a
        tile at most.

    Returns
    -------
    Tiling
        With 1.8 and 120 at most four tiles at the default limits, if those shrink the picture.
    """
    scale = factor * fit_scale(height, width, settings.max_height, settings.max_width)
    default = DetectorSettings()
    limits = (
        settings.max_height or default.max_height or height,
        settings.max_width or default.max_width or width,
    )
    return _tiling(height, width, limits, scale, overlap)


def _tiling(
    height: int, width: int, limits: tuple[int, int], scale: float, overlap: float
) -> Tiling:
    rows = _spans(height, scale, limits[0], overlap)
    columns = _spans(width, scale, limits[1], overlap)
    return Tiling(scale, [(x0, y0, x1, y1) for y0, y1 in rows for x0, x1 in columns])


def _own_choice(height: int, width: int, limits: tuple[int, int], whole: float) -> float:
    """Return the scale at which a picture is searched without being asked to."""
    short, long = sorted((height, width))
    if long >= _LONG * short:
        # As fine as if the long side did not matter.
        scale = min(1.0, limits[0 if height < width else 1] / short)
    elif height * width >= _LARGE:
        scale = min(1.0, _FINER * whole)
    else:
        return 0.0
    area = height * width * scale**2 / (1 - _OVERLAP) ** (2 if long < _LONG * short else 1)
    return scale * min(1.0, sqrt(_MOST_INPUTS * limits[0] * limits[1] / area))


def _spans(length: int, scale: float, limit: int, overlap: float) -> list[tuple[int, int]]:
    """Cut a side into even spans that overlap, at most `limit` network pixels long each."""
    span = min(length, max(1, int(limit / scale)))
    shared = int(min(overlap / scale, _OVERLAP * span))
    count = 1 + ceil((length - span) / max(1, span - shared))
    span = min(span, ceil((length + (count - 1) * shared) / count))
    starts = [round(k * (length - span) / max(1, count - 1)) for k in range(count)]
    return [(start, start + span) for start in starts]


def detect_faces(
    detector: Detector, image: NDArray[np.uint8], detect_scale: float | None = None
) -> NDArray[np.float32]:
    """Find the faces in a picture of any size and shape.

    Parameters
    ----------
    detector : Detector
        Where it has `settings`, their limits are the size of a tile.
    image : ndarray, uint8 (H, W, 3)
        BGR picture.
    detect_scale : float, optional
        See `plan_tiles`.

    Returns
    -------
    ndarray, float32 (n, 5)
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels by falling score, each face once.
    """
    boxes = detector.detect(image)
    settings = getattr(detector, "settings", None) or DetectorSettings()
    height, width = image.shape[:2]
    tiling = plan_tiles(height, width, settings, detect_scale)
    if tiling is None:
        return boxes
    found = np.concatenate([boxes, search_tiles(detector, image, tiling)])
    return each_once(found, settings.nms_threshold)


def search_tiles(
    detector: Detector, image: NDArray[np.uint8], tiling: Tiling
) -> NDArray[np.float32]:
    """Find the faces in all tiles of a picture.

    Parameters
    ----------
    detector : Detector
    image : ndarray, uint8 (H, W, 3)
        BGR picture.
    tiling : Tiling
        Its tiles, see `plan_tiles` and `plan_finer`.

    Returns
    -------
    ndarray, float32 (n, 5)
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels of the picture, tile by tile: a face where
        two overlap is there twice, see `FaceBoxes.merging.each_once`.
    """
    found = [_in_tile(detector, image, tiling.scale, tile) for tile in tiling.tiles]
    return np.concatenate(found)


def _in_tile(
    detector: Detector,
    image: NDArray[np.uint8],
    scale: float,
    tile: tuple[int, int, int, int],
) -> NDArray[np.float32]:
    """Return the faces of a tile that no inner border cuts off, in pixels of the picture."""
    left, top, right, bottom = tile
    part = image[top:bottom, left:right]
    if scale != 1:
        import cv2

        size = max(1, int((right - left) * scale)), max(1, int((bottom - top) * scale))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    boxes = detector.detect(np.ascontiguousarray(part))
    if not len(boxes):
        return boxes
    x_scale, y_scale = part.shape[1] / (right - left), part.shape[0] / (bottom - top)
    factors = np.array([1 / x_scale, 1 / y_scale, 1 / x_scale, 1 / y_scale, 1], np.float32)
    boxes = np.asarray(
        boxes * factors + np.array([left, top, left, top, 0], np.float32), np.float32
    )
    border = _BORDER / scale
    height, width = image.shape[:2]
    whole = (
        ((boxes[:, 0] > left + border) | (left == 0))
        & ((boxes[:, 1] > top + border) | (top == 0))
        & ((boxes[:, 2] < right - border) | (right == width))
        & ((boxes[:, 3] < bottom - border) | (bottom == height))
    )
    return np.asarray(boxes[whole], np.float32)
