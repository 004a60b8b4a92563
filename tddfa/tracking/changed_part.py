"""Where a frame has changed since it was last searched for faces: only there can a new one be.

::

    +--------------------------+     Frames are compared as 80 x 45 means of blocks, in which
    |        +----------+      |     noise and coding hardly show. A block keeps the value that
    |        | changed, |      |     it had when it was searched, so that slow changes add up.
    |        | margin   |      |
    +--------+----------+------+
"""

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.params import FloatArray
from tddfa.picture import ImageArray

Part = tuple[int, int, int, int]

# Blocks in a row and in a column.
_GRID = 80, 45
# Gray levels by which the mean of a block differs where something has changed.
_LEAST_CHANGE = 4.0
# Width of the margin in parts of the changed region's longer side, and in blocks at least.
_MARGIN, _LEAST_MARGIN = 0.2, 3
# A part larger than this share of the frame is not worth cutting out.
_MOST = 0.6
# So many searches after the last one of everything, everything is searched again: a face that the
# detector has missed may stand still.
_PARTIAL = 3


class ChangedPart:
    """Tell which part of a frame to search; one object for searches of one fineness.

    Examples
    --------
    >>> changes = ChangedPart()
    >>> frame = np.zeros((720, 1280, 3), np.uint8)
    >>> changes(frame)
    (0, 0, 1280, 720)
    >>> changes(frame) is None
    True
    >>> frame[320:400, 800:880] = 99
    >>> changes(frame)
    (752, 272, 928, 448)
    """

    def __init__(self) -> None:
        self._searched: FloatArray | None = None
        self._shape: tuple[int, ...] | None = None
        self._partial = 0

    def __call__(self, image: ImageArray) -> Part | None:
        """Return the part of a frame that is to be searched now, and take it for searched.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8
            BGR frame.

        Returns
        -------
        (left, top, right, bottom) or None
            In pixels; the whole frame at first, and now and then. None where nothing has changed.
        """
        means = _block_means(image)
        if self._searched is None or self._shape != image.shape or self._partial >= _PARTIAL:
            return self._whole(image, means)
        changed = (np.abs(means - self._searched) > _LEAST_CHANGE).any(axis=2)
        self._partial += 1
        if not changed.any():
            return None
        left, right = _span(changed.any(axis=0))
        top, bottom = _span(changed.any(axis=1))
        height, width = image.shape[:2]
        across, down = width / _GRID[0], height / _GRID[1]
        margin = _MARGIN * max((right - left) * across, (bottom - top) * down)
        more_x, more_y = (max(margin, _LEAST_MARGIN * block) for block in (across, down))
        part = (
            max(0, int(left * across - more_x)),
            max(0, int(top * down - more_y)),
            min(width, int(right * across + more_x)),
            min(height, int(bottom * down + more_y)),
        )
        if (part[2] - part[0]) * (part[3] - part[1]) > _MOST * width * height:
            return self._whole(image, means)
        self._searched[top:bottom, left:right] = means[top:bottom, left:right]
        return part

    def forget(self) -> None:
        """Have everything searched next time."""
        self._searched = None

    def _whole(self, image: ImageArray, means: FloatArray) -> Part:
        self._searched, self._shape, self._partial = means, image.shape, 0
        return 0, 0, image.shape[1], image.shape[0]


def _block_means(image: ImageArray) -> FloatArray:
    return np.asarray(cv2.resize(image, _GRID, interpolation=cv2.INTER_AREA), np.float32)


def _span(flags: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first index that is set, and the one behind the last."""
    places = np.flatnonzero(flags)
    return int(places[0]), int(places[-1]) + 1
