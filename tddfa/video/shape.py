"""Pixels that are not square, and pictures whose size changes midway.

::

    stored      240 x 240, each pixel 4 wide and 3 high
    square      320 x 240: faces are found, aligned, drawn and recorded here
    written     240 x 240, 4:3 again, what was not drawn on as it was stored
"""

from fractions import Fraction

import cv2
import numpy as np

from tddfa.picture import ImageArray, StoredPicture

SQUARE = Fraction(1)
# Beyond this a pixel's shape is taken for damage.
_MOST_ASPECT = 8


def plausible_aspect(aspect: Fraction | None) -> Fraction:
    """Return a pixel's width by its height; 1 where a file does not say or cannot mean it."""
    if not aspect or not Fraction(1, _MOST_ASPECT) <= aspect <= _MOST_ASPECT:
        return SQUARE
    return Fraction(aspect)


def square_size(height: int, width: int, aspect: Fraction) -> tuple[int, int]:
    """Return (height, width) on square pixels; the side that is too short grows.

    Examples
    --------
    >>> square_size(240, 240, Fraction(4, 3))
    (240, 320)
    >>> square_size(480, 720, Fraction(8, 9))
    (540, 720)
    """
    if aspect >= 1:
        return height, max(1, round(width * aspect))
    return max(1, round(height / aspect)), width


def to_square(image: ImageArray, aspect: Fraction) -> ImageArray:
    """Return a stored picture on square pixels."""
    height, width = square_size(image.shape[0], image.shape[1], aspect)
    if (height, width) == image.shape[:2]:
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def to_stored(drawn: ImageArray, square: ImageArray, stored: StoredPicture) -> ImageArray:
    """Return what was drawn on a square-pixel picture in the stored shape.

    Pixels that nothing was drawn on are those of the stored picture, exactly.

    Parameters
    ----------
    drawn, square : ndarray, shape (H, W, 3), uint8
        The picture on square pixels, after and before.
    stored : StoredPicture
        The same as stored.
    """
    if drawn is square:
        return stored.image
    size = stored.image.shape[1::-1]
    changed = (cv2.absdiff(drawn, square).max(axis=2) > 0).astype(np.float32)
    touched = cv2.resize(changed, size, interpolation=cv2.INTER_AREA) > 0
    small = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
    return np.where(touched[..., None], small, stored.image).astype(np.uint8, copy=False)


def fitted(image: ImageArray, height: int, width: int) -> ImageArray:
    """Return a picture scaled into a frame of another size, with black bars where it is narrower.

    Proportions that differ by less than 2 % are stretched over.
    """
    old_height, old_width = image.shape[:2]
    if (old_height, old_width) == (height, width):
        return image
    scale = min(height / old_height, width / old_width)
    inner = (max(1, round(old_height * scale)), max(1, round(old_width * scale)))
    if inner[0] >= 0.98 * height and inner[1] >= 0.98 * width:
        inner = (height, width)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, inner[::-1], interpolation=method)
    out = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    out[top : top + inner[0], left : left + inner[1]] = small
    return out


class CommonShape:
    """Brings all pictures of a film into the shape of the first."""

    def __init__(self) -> None:
        self._stored: tuple[int, int] | None = None
        self._aspect = SQUARE

    def __call__(
        self, image: ImageArray, aspect: Fraction
    ) -> tuple[ImageArray, StoredPicture | None]:
        """Return a picture on square pixels, and as stored if the first one's are not square.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8
        aspect : Fraction
            Of its pixels.
        """
        if self._stored is None:
            self._stored, self._aspect = (image.shape[0], image.shape[1]), aspect
        square = to_square(image, aspect)
        height, width = self._stored
        if image.shape[:2] != self._stored or aspect != self._aspect:
            square = fitted(square, *square_size(height, width, self._aspect))
            shrunk = cv2.resize(square, (width, height), interpolation=cv2.INTER_AREA)
            image = np.asarray(shrunk, np.uint8)
        if self._aspect == SQUARE:
            return square, None
        return square, StoredPicture(image, self._aspect)
