"""Reading and writing pictures: any path, any depth, one clear line when something is wrong."""

import os
import stat
from pathlib import Path

import cv2
import numpy as np

from tddfa.errors import InputError
from tddfa.io.atomic import PathLike, atomic_write
from tddfa.io.decode import ImageArray, decode, quiet_opencv

__all__ = ["atomic_write", "imread", "imwrite"]

# Bytes of a picture file at most, and read at a time.
_LONGEST, _CHUNK = 1 << 30, 1 << 24
JPEG_SUFFIXES = {".jpg", ".jpeg", ".jpe"}


def imread(path: PathLike) -> ImageArray:
    """Read a picture the way a viewer shows it.

    The orientation that the file states is applied; gray becomes BGR; a transparent picture is laid
    on white; values of other types than 8-bit integers are scaled by their range, see
    `tddfa.io.value_range.white_level`. Of an animation the first picture is read.

    Parameters
    ----------
    path : path-like
        Picture file; the name may hold any Unicode characters.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR, C-contiguous.

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, truncated or not a picture. The message names it.
    """
    name = os.fspath(path)
    if Path(path).is_dir():
        raise InputError(f"{name}: expected a picture file, found a folder")
    try:
        data = _read(Path(path))
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from error
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    except ValueError as error:  # a null character in the name
        raise InputError(f"{name!r}: cannot be read: {error}") from error
    try:
        return np.ascontiguousarray(decode(data, name))
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _read(path: Path) -> bytes:
    """Return the bytes of a file or pipe, unless they are more than a picture has, or endless."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_size <= _LONGEST:
            return file.read()
        data = bytearray()
        while max(len(data), status.st_size) <= _LONGEST:
            part = file.read(_CHUNK)
            if not part:
                return bytes(data)
            data += part
    raise InputError(f"expected a picture, got more than {_LONGEST >> 20} MB")


def imwrite(path: PathLike, img: ImageArray, quality: int | None = None) -> None:
    """Write a picture; its format follows from the extension.

    Parameters
    ----------
    path : path-like
        ``.jpg``, ``.png``, ``.bmp``, ``.tiff``, ``.webp``, …; missing parent folders are made.
    img : ndarray, shape (H, W, 3) or (H, W), uint8
        BGR or gray.
    quality : int, optional
        1-100, for JPEG and WebP; OpenCV's default (95 for JPEG) if left out.

    Raises
    ------
    InputError
        If the extension is unknown, the array is not a picture or the file cannot be written; then
        no partial file is left.
    """
    name, suffix = os.fspath(path), Path(path).suffix.lower()
    if quality is not None and not 1 <= quality <= 100:
        raise InputError(f"quality: expected 1 to 100, got {quality}")
    if np.asarray(img).dtype != np.uint8:
        raise InputError(f"cannot write {name}: expected uint8, got {np.asarray(img).dtype}")
    parameters: list[int] = []
    if quality is not None and suffix in JPEG_SUFFIXES:
        parameters = [cv2.IMWRITE_JPEG_QUALITY, quality]
    elif quality is not None and suffix == ".webp":
        parameters = [cv2.IMWRITE_WEBP_QUALITY, quality]
    try:
        with quiet_opencv():
            done, encoded = cv2.imencode(suffix or "?", np.ascontiguousarray(img), parameters)
    except cv2.error as error:
        reason = f"expected a picture's extension and a picture, got {suffix or 'no extension'}"
        raise InputError(f"cannot write {name}: {reason} and shape {np.shape(img)}") from error
    if not done:
        raise InputError(f"cannot write {name}: encoding as {suffix} failed")
    with atomic_write(path) as file:
        file.write(encoded.data)
