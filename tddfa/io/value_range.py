"""Which values of a picture are black and white, where its data type alone does not say."""

import logging
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

# Largest values of the bit depths that cameras and scanners have.
_DEPTHS = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16, 24, 31, 32))
# Float pictures in [0, 1] may hold highlights up to this; one in 0..255 with nothing brighter is
# as good as black.
_HIGHLIGHTS = 16.0
# Share of the brightest values, in percent, that says nothing: specks, hot pixels.
_SPECKS = 0.1
# So many values are enough to find a range.
_SAMPLES = 1 << 20


def white_level(values: npt.NDArray[Any]) -> float:
    """Return the value that stands for white; 0 stands for black.

    Integers of 8 bits: 255. Others: the largest value of the smallest bit depth (8, 10, 12, 14, 16,
    …) that holds all values, so that 12 bits in a 16-bit file are not shown dark. Floats: 1 if the
    values are about in [0, 1], else as for integers; above 65535 the brightest value.

    Parameters
    ----------
    values : ndarray
        Pixels of any type; NaN and infinity do not count.

    Examples
    --------
    >>> white_level(np.array([0, 0.2, 0.9])), white_level(np.array([0, 20.0, 254]))
    (1.0, 255.0)
    >>> white_level(np.array([7, 4000], np.uint16))
    4095.0
    """
    if values.dtype == np.uint8:
        return 255.0
    if values.dtype == np.bool_:
        return 1.0
    if np.issubdtype(values.dtype, np.integer):
        largest = float(values.max(initial=0))
        depth = next((depth for depth in _DEPTHS if depth >= largest), largest)
        return min(float(depth), _type_level(values.dtype))
    stride = max(1, values.size // _SAMPLES)
    sample = np.ravel(values)[:: stride + (stride % 3 == 0)]  # of all three colors
    sample = sample[np.isfinite(sample)]
    largest = float(np.percentile(sample, 100 - _SPECKS)) if sample.size else 0.0
    if largest <= _HIGHLIGHTS:
        return 1.0
    return next((float(depth) for depth in _DEPTHS[:5] if depth >= largest), largest)


def to_uint8(img: npt.NDArray[Any], name: str = "picture") -> npt.NDArray[np.uint8]:
    """Scale a picture of any depth to 0..255, rounded to nearest.

    Values outside of 0 to `white_level` are clipped, and NaN becomes 0. An alpha channel has a
    white level of its own. Where the range is not that of the data type, a line says so.

    Parameters
    ----------
    img : ndarray, shape (H, W) or (H, W, C)
        Pixels; with 2 or 4 channels the last one is alpha.
    name : str
        What to call the picture in the log.
    """
    if img.dtype == np.uint8:
        return np.asarray(img, np.uint8)
    n_colors = img.shape[2] - 1 if img.ndim == 3 and img.shape[2] in (2, 4) else None
    if n_colors is None:
        return _scaled(img, _told_level(img, name))
    color, alpha = img[..., :n_colors], img[..., n_colors:]
    level = _told_level(color, name)
    parts = _scaled(color, level), _scaled(alpha, _opaque_level(alpha, level))
    return np.concatenate([part.reshape(*img.shape[:2], -1) for part in parts], axis=2)


def _opaque_level(alpha: npt.NDArray[Any], color_level: float) -> float:
    """Return the alpha of what hides all that is behind: the data type's, or that of the color."""
    own = _type_level(alpha.dtype)
    largest = float(np.max(alpha, initial=0, where=np.isfinite(alpha)))
    return own if (largest > color_level) == (own > color_level) else color_level


def _type_level(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def _told_level(img: npt.NDArray[Any], name: str) -> float:
    level = white_level(img)
    if level != _type_level(img.dtype):
        logger.info("%s: %s values, read as 0 to %g", name, img.dtype, level)
    return level


def _scaled(img: npt.NDArray[Any], level: float) -> npt.NDArray[np.uint8]:
    scale = 255.0 / level
    if np.issubdtype(img.dtype, np.integer):
        if img.dtype.itemsize > 4 or img.dtype == np.uint32:  # types that OpenCV has not
            img = img.astype(np.float64)
        return np.asarray(cv2.convertScaleAbs(np.maximum(img, 0), alpha=scale), np.uint8)
    values = np.clip(np.nan_to_num(np.asarray(img, np.float32), nan=0.0), 0, level)
    return np.asarray(cv2.convertScaleAbs(values, alpha=scale), np.uint8)
