"""Pictures as code written for the reference passes them: often float32, 0 to 255."""

import logging

import numpy as np
import numpy.typing as npt

from tddfa.io.decode import ImageArray

_LOGGER = logging.getLogger(__name__)


def as_uint8(img: npt.ArrayLike) -> ImageArray:
    """Return a picture whose numbers run from 0 to 255 as uint8, itself if it is uint8 already.

    Parameters
    ----------
    img : array_like, shape (H, W, C)
        Floats or integers; fractions are cut off, as when an array of uint8 is assigned to, numbers
        beyond the range are clipped, and NaN is 0. A picture of floats that all lie in [0, 1] is
        black by this rule; a warning says so.

    Returns
    -------
    ndarray of the same shape, uint8

    Examples
    --------
    >>> as_uint8(np.array([[-3.0, 7.9, 300.0]]))
    array([[  0,   7, 255]], dtype=uint8)
    """
    picture = np.asarray(img)
    if picture.dtype == np.uint8 or picture.dtype.kind not in "fiub":
        return picture  # what is no picture is refused by the function that needs one
    if picture.dtype.kind == "f":
        picture = np.nan_to_num(picture, nan=0.0, posinf=255.0, neginf=0.0)
        if picture.size and 0 < picture.max() <= 1:
            _LOGGER.warning("img: floats up to %.3g are black, expected 0 to 255", picture.max())
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
