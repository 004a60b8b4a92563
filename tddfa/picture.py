"""What a picture is in this project, and the one check of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError

if TYPE_CHECKING:
    from fractions import Fraction

ImageArray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class StoredPicture:
    """A picture as its file stores it, where its pixels are not square.

    Attributes
    ----------
    image : ndarray, shape (H, W, 3), uint8
        Upright BGR.
    aspect : Fraction
        Width of a pixel divided by its height.
    """

    image: ImageArray
    aspect: "Fraction"


def check_picture(image: object, name: str = "picture") -> ImageArray:
    """Return `image` as it is if it is a picture: BGR, (H, W, 3), uint8, not empty.

    Parameters
    ----------
    image : ndarray
        Any strides; views are not copied.
    name : str
        What the error calls it.

    Raises
    ------
    InputError
        If it is something else.

    Examples
    --------
    >>> check_picture(np.zeros((2, 3, 3), np.uint8)).shape
    (2, 3, 3)
    """
    if not isinstance(image, np.ndarray):
        got = type(image).__name__
    elif image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        got = f"{image.dtype} {image.shape}"
    else:
        return image
    raise InputError(f"{name}: expected a BGR array (H, W, 3) of uint8, not empty, got {got}")
