"""From a picture to the network's input."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tddfa.picture import check_picture

MEAN_BGR = (104.0, 117.0, 123.0)


@dataclass(frozen=True)
class NetworkInput:
    """A picture ready for the network.

    Attributes
    ----------
    blob : ndarray, float32 (1, 3, h, w)
        BGR minus the mean color of the training pictures.
    scale : float
        Network pixels per pixel of the picture, at most 1.
    """

    blob: NDArray[np.float32]
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the blob in network pixels."""
        return self.blob.shape[2], self.blob.shape[3]


def fit_scale(height: int, width: int, max_height: int | None, max_width: int | None) -> float:
    """Return the factor that brings a picture down to the limits: height first, then width."""
    scale = 1.0
    if max_height is not None and height > max_height:
        scale = max_height / height
    if max_width is not None and scale * width > max_width:
        scale *= max_width / (scale * width)
    return scale


def preprocess(
    image: NDArray[np.uint8], max_height: int | None = 720, max_width: int | None = 1080
) -> NetworkInput:
    """Scale a picture down to the limits and turn it into the network's input.

    Parameters
    ----------
    image : ndarray, uint8 (H, W, 3)
        BGR picture.
    max_height, max_width : int or None
        Limits in pixels, None for none.

    Returns
    -------
    NetworkInput
        Memory beyond the picture itself is bounded by the limits.

    Raises
    ------
    InputError
        If `image` is not such a picture.
    """
    image = np.ascontiguousarray(check_picture(image, "image"))
    height, width = image.shape[:2]
    scale = fit_scale(height, width, max_height, max_width)
    if scale < 1:
        import cv2  # takes a while: networks are opened meanwhile

        # A side of a very long picture may come out as 0.
        size = max(1, int(scale * width)), max(1, int(scale * height))
        resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        return NetworkInput(_subtract_mean(resized), scale)
    return NetworkInput(_subtract_mean(image), scale)


def _subtract_mean(image: NDArray) -> NDArray[np.float32]:
    """Return (H, W, 3) uint8 as (1, 3, H, W) float32 minus the mean color."""
    import cv2

    blob = np.empty((1, 3, *image.shape[:2]), np.float32)
    # One look-up per value: half the time of cv2.dnn.blobFromImage or a subtraction in NumPy.
    for channel, mean, plane in zip(cv2.split(image), MEAN_BGR, blob[0], strict=True):
        cv2.LUT(channel, np.arange(256, dtype=np.float32) - np.float32(mean), dst=plane)
    return blob
