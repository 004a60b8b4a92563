"""Turning the bytes of a picture file into a BGR uint8 array."""

import contextlib
import io
import re
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.picture import ImageArray

JPEG_MAGIC = b"\xff\xd8"
TIFF_MAGIC = (b"II", b"MM")
# Formats whose EXIF orientation OpenCV does not apply when it also returns the alpha channel.
EXIF_CHUNKS = {b"\x89PNG": b"eXIf", b"RIFF": b"EXIF"}
ORIENTATION_TAG = 274
# A JPEG marker that is neither stuffing (00), fill (FF) nor a restart (D0-D7).
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_END_OF_IMAGE = b"\xff\xd9"
# Rows composited at a time: bounds the extra memory for very large pictures.
_BAND = 256


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from adding lines of its own to stderr about what we report in one."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def jpeg_is_complete(data: bytes) -> bool:
    """Tell whether the first picture in a JPEG stream reaches its end marker.

    Older OpenCV decodes a truncated JPEG without an error and leaves its lower part gray. Segments
    are skipped by their length, so that the end marker of an embedded thumbnail does not count.
    """
    position = 2
    while match := _MARKER.search(data, position):
        if match.group() == _END_OF_IMAGE:
            return True
        position = match.end()
        position += max(int.from_bytes(data[position : position + 2], "big"), 2)
    return False


def _orient(img: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Apply an EXIF orientation 1-8 (TIFF 6.0, tag 274)."""
    if orientation in (5, 6, 7, 8):
        img = cv2.transpose(img)
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
    return cv2.flip(img, flips[orientation]) if orientation in flips else img


def _exif_orientation(data: bytes) -> int:
    """Return the EXIF orientation of a PNG or WebP file; 1 (upright) where there is none."""
    chunk = EXIF_CHUNKS.get(data[:4])
    if chunk is None or chunk not in data:
        return 1
    from PIL import Image  # rare, and start-up must stay short

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return int(picture.getexif().get(ORIENTATION_TAG, 1))
    except (OSError, ValueError, SyntaxError):
        return 1


def to_uint8(img: npt.NDArray[Any]) -> ImageArray:
    """Scale a picture of any depth to 0..255, rounded to nearest.

    Integers are scaled by their type's full range, floats are expected in [0, 1]; values outside
    are clipped, and NaN becomes 0.
    """
    if img.dtype == np.uint8:
        return np.asarray(img, np.uint8)
    if np.issubdtype(img.dtype, np.integer):
        scale = 255.0 / np.iinfo(img.dtype).max
        img = np.maximum(img, 0)
    else:
        scale = 255.0
        img = np.clip(np.nan_to_num(img, nan=0.0), 0, 1)
    return np.asarray(cv2.convertScaleAbs(img, alpha=scale), np.uint8)


def to_bgr(img: npt.NDArray[Any], premultiplied: bool = False) -> ImageArray:
    """Return gray, BGR or BGRA of any depth as BGR uint8; transparency shows white ground.

    `premultiplied` says that the color has been multiplied by the alpha channel already.
    """
    img = to_uint8(img)
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


def decode(data: bytes) -> ImageArray:
    """Decode the bytes of a picture file.

    Parameters
    ----------
    data : bytes
        JPEG, PNG, BMP, TIFF, WebP or whatever else this build of OpenCV reads.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR, upright by the EXIF orientation.

    Raises
    ------
    InputError
        If the data is empty, truncated or no picture; the message names no file.
    """
    if not data:
        raise InputError("the file is empty")
    is_jpeg = data.startswith(JPEG_MAGIC)
    if is_jpeg and not jpeg_is_complete(data):
        raise InputError("the JPEG is truncated")
    try:
        with quiet_opencv():
            flags = cv2.IMREAD_COLOR if is_jpeg else cv2.IMREAD_UNCHANGED
            img = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (cv2.error, MemoryError) as error:
        raise InputError("the picture cannot be decoded (damaged or too large)") from error
    if img is None or img.size == 0:
        raise InputError("expected a picture (JPEG, PNG, BMP, TIFF, WebP), or the file is damaged")
    if is_jpeg:
        return np.asarray(img, np.uint8)
    # libtiff, and so OpenCV, hands out the color of 8-bit TIFF files multiplied by alpha.
    premultiplied = data[:2] in TIFF_MAGIC and img.dtype == np.uint8
    return np.asarray(_orient(to_bgr(img, premultiplied), _exif_orientation(data)), np.uint8)
