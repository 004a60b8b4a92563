"""What the window shows as a camera that other programs see, by pyvirtualcam."""

from typing import Any

import cv2

from tddfa.errors import InputError
from tddfa.optional import require
from tddfa.picture import ImageArray


class VirtualCamera:
    """Show pictures; the camera opens with the first one's size, later ones are fitted into it.

    Parameters
    ----------
    rate : float
        Frames per second that the camera says it has; pictures go out as they come.
    device : str, optional
        The camera's name, such as ``/dev/video10``; the first free one by default.

    Raises
    ------
    InputError
        If pyvirtualcam is missing, or there is no virtual camera on this machine.
    """

    def __init__(self, rate: float = 30.0, device: str | None = None) -> None:
        require("a virtual camera", "pyvirtualcam")
        self._rate, self._device = rate, device
        self._camera: Any = None

    def show(self, picture: ImageArray) -> None:
        """Show a BGR picture (H, W, 3)."""
        if self._camera is None:
            self._camera = self._open(picture.shape[1], picture.shape[0])
        width, height = self._camera.width, self._camera.height
        if picture.shape[:2] != (height, width):
            picture = _fitted(picture, width, height)
        self._camera.send(picture)

    def close(self) -> None:
        """Give the camera back."""
        if self._camera is not None:
            self._camera.close()

    def _open(self, width: int, height: int) -> Any:
        import pyvirtualcam

        try:
            return pyvirtualcam.Camera(
                width, height, self._rate, fmt=pyvirtualcam.PixelFormat.BGR, device=self._device
            )
        except (RuntimeError, OSError) as error:
            raise InputError(f"virtual camera: {str(error).splitlines()[0]}") from error


def _fitted(picture: ImageArray, width: int, height: int) -> Any:
    """Return a picture scaled into a size, with black bars where the proportions differ."""
    factor = min(width / picture.shape[1], height / picture.shape[0])
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    bars = (y, height - size[1] - y, x, width - size[0] - x)
    return cv2.copyMakeBorder(small, *bars, cv2.BORDER_CONSTANT)
