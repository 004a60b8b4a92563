"""Turning the bytes of a picture file into a BGR uint8 array."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.io.container import check_container
from tddfa.io.heic import decode_heic, is_heic
from tddfa.io.jpeg import JPEG_MAGIC, close_jpeg, jpeg_is_complete
from tddfa.io.orientation import UPRIGHT, stored_orientation
from tddfa.io.png import pixels_only
from tddfa.io.value_range import to_uint8
from tddfa.picture import ImageArray

logger = logging.getLogger(__name__)

TIFF_MAGIC = (b"II", b"MM")
# Since 4.13 OpenCV has its logging in a module of its own, before that at the top.
_LOGGING: Any = getattr(cv2.utils, "logging", cv2)
_SILENT = 0
# Rows composited at a time: bounds the extra memory for very large pictures.
_BAND = 256


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from adding lines of its own to stderr about what we report in one."""
    level = _LOGGING.getLogLevel()
    _LOGGING.setLogLevel(_SILENT)
    try:
        yield
    finally:
        _LOGGING.setLogLevel(level)


def _orient(img: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Apply an EXIF orientation 1-8 (TIFF 6.0, tag 274)."""
    if orientation in (5, 6, 7, 8):
        img = cv2.transpose(img)
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
    return cv2.flip(img, flips[orientation]) if orientation in flips else img


def to_bgr(img: npt.NDArray[Any], premultiplied: bool = False, name: str = "picture") -> ImageArray:
    """Return gray, BGR or BGRA of any depth as BGR uint8; transparency shows white ground.

    `premultiplied` says that the color has been multiplied by the alpha channel already.
    """
    img = to_uint8(img, name)
    if img.ndim == 2 or img.shape[2] == 1:
        return np.asarray(cv2.cvtColor(img, cv2.COLOR_GRAY2BGR), np.uint8)
    if img.shape[2] == 3:
        return img
    out = np.empty((*img.shape[:2], 3), np.uint8)
    for start in range(0, len(img), _BAND):
        band = img[start : start + _BAND]
        color = cv2.cvtColor(band, cv2.COLOR_BGRA2BGR)
        alpha = cv2.cvtColor(band[..., 3], cv2.COLOR_GRAY2BGR)
        if not premultiplied:
            color = cv2.multiply(color, alpha, scale=1 / 255)  # rounds to nearest
        cv2.add(color, 255 - alpha, dst=out[start : start + _BAND])
    return out


def decode(data: bytes, name: str = "picture") -> ImageArray:
    """Decode the bytes of a picture file.

    Parameters
    ----------
    data : bytes
        JPEG, PNG, BMP, TIFF, WebP, AVIF, GIF, HEIC (with pillow-heif) or whatever else this build
        of OpenCV reads. Of an animation the first picture.
    name : str
        What to call the picture in the log, where a line says how it was read.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR, upright by the orientation that the file states.

    Raises
    ------
    InputError
        If the data is empty, truncated or no picture; the message names no file.
    """
    if not data:
        raise InputError("the file is empty")
    if is_heic(data):
        return to_bgr(decode_heic(data))
    check_container(data, name)
    is_jpeg = data.startswith(JPEG_MAGIC)
    if is_jpeg and not jpeg_is_complete(data):
        closed = close_jpeg(data)
        if closed is None:
            raise InputError("the JPEG is truncated")
        logger.warning("%s: the JPEG lacks its end marker, but nothing of the picture", name)
        data = closed
    # OpenCV applies it by itself only where it drops the alpha channel.
    orientation = UPRIGHT if is_jpeg else stored_orientation(data)
    try:
        with quiet_opencv():
            flags = cv2.IMREAD_COLOR if is_jpeg else cv2.IMREAD_UNCHANGED
            img = cv2.imdecode(np.frombuffer(pixels_only(data), np.uint8), flags)
    except (cv2.error, MemoryError) as error:
        raise InputError("the picture cannot be decoded (damaged or too large)") from error
    if img is None or img.size == 0:
        raise InputError(
            "expected a picture (JPEG, PNG, BMP, TIFF, WebP, AVIF, GIF, JPEG 2000, PNM; videos are "
            "for tddfa video), or the file is damaged"
        )
    if is_jpeg:
        return np.asarray(img, np.uint8)
    # libtiff, and so OpenCV, hands out the color of 8-bit TIFF files multiplied by alpha.
    premultiplied = data[:2] in TIFF_MAGIC and img.dtype == np.uint8
    return np.asarray(_orient(to_bgr(img, premultiplied, name), orientation), np.uint8)
