"""Find cuts between shots by comparing thumbnails of successive frames."""

import cv2
import numpy as np

from tddfa.params import FloatArray
from tddfa.picture import ImageArray

# Thumbnail's width and height: small enough that moving heads hardly change it.
_SIZE = (32, 18)
# Samples are taken at this size first: averaging every pixel of a large frame would take longer
# than following a face.
_SAMPLES = (128, 72)


class ShotDetector:
    """Tell for each frame whether a new shot begins and whether anything changed at all.

    Two figures are compared with the frame before: the mean absolute difference of the
    thumbnails, and their correlation, which a flash or a fade does not lower. A cut has a large
    difference, by itself and against the frames before it (a fast pan has large ones throughout),
    and a low correlation.

    Parameters
    ----------
    least_change : float
        Mean absolute difference, in gray levels, that a cut has at least.
    ratio : float
        How many times the recent differences it is at least.
    most_correlation : float
        Correlation that it has at most.

    Attributes
    ----------
    still : bool
        Whether the last frame is a copy of the one before it but for coding noise, as in video
        that was brought from 24 to 30 frames per second. Such a frame is no new evidence.
    """

    def __init__(
        self, least_change: float = 8.0, ratio: float = 2.5, most_correlation: float = 0.75
    ) -> None:
        self.least_change = least_change
        self.ratio = ratio
        self.most_correlation = most_correlation
        self.still = False
        self._shape: tuple[int, ...] | None = None
        self._last: FloatArray | None = None
        self._recent = 0.0

    def __call__(self, image: ImageArray) -> bool:
        """Look at the next frame, (H, W, 3) uint8 BGR; the first one begins a shot, too."""
        thumbnail = _thumbnail(image)
        last, shape = self._last, self._shape
        self._last, self._shape = thumbnail, image.shape
        if last is None or shape != image.shape:
            self.still, self._recent = False, 0.0
            return True
        change = float(np.abs(thumbnail - last).mean())
        self.still = change < 0.15
        cut = (
            change >= self.least_change
            and change >= self.ratio * self._recent
            and _correlation(thumbnail, last) <= self.most_correlation
        )
        self._recent = 0.5 * (self._recent + change)
        return cut


def _thumbnail(image: ImageArray) -> FloatArray:
    samples = cv2.resize(image, _SAMPLES, interpolation=cv2.INTER_LINEAR)
    return cv2.resize(samples, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)


def _correlation(first: FloatArray, second: FloatArray) -> float:
    a, b = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # Two flat pictures differ by their brightness alone.
    return float((a * b).sum()) / norm if norm > 0 else 0.0
