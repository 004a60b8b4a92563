"""Cameras, and files that play the part of one; whoever asks gets the newest frame."""

import logging
import math
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.io.decode import ImageArray, quiet_opencv
from tddfa.video.container import is_url
from tddfa.video.open_film import open_film
from tddfa.video.shape import plausible_aspect, to_square

logger = logging.getLogger(__name__)

# Seconds until a camera that stopped is opened again.
_REOPEN = 1.0


class Source(Protocol):
    """Where frames come from."""

    def read(self) -> ImageArray | None:
        """Wait for the next frame; None at the end, or if there is none for now."""

    def ended(self) -> bool:
        """Whether no further frame will ever come."""

    def close(self) -> None:
        """Let go of the device or file."""


class DeviceSource:
    """A camera of this computer, opened again if it stops.

    Parameters
    ----------
    device : int or str
        Index, or a path such as ``/dev/video0``.

    Raises
    ------
    InputError
        If there is no such camera, or it gives no picture.
    """

    def __init__(self, device: int | str) -> None:
        self._device = device
        self._capture = self._open()
        if not self._capture.isOpened():
            raise InputError(
                f"--source {device}: no such camera, or another program uses it; "
                "a video file or URL will do, too"
            )

    def _open(self) -> cv2.VideoCapture:
        with quiet_opencv():
            capture = cv2.VideoCapture(self._device)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # old frames are of no use
        return capture

    def read(self) -> ImageArray | None:
        """Wait for the next frame; None if there is none for now."""
        done, image = self._capture.read()
        if done and image is not None:
            return to_square(np.asarray(image, np.uint8), self._aspect())
        time.sleep(_REOPEN)
        self._capture.release()
        self._capture = self._open()
        return None

    def _aspect(self) -> Fraction:
        """Return the shape of the camera's pixels; few drivers say."""
        sides = (self._capture.get(cv2.CAP_PROP_SAR_NUM), self._capture.get(cv2.CAP_PROP_SAR_DEN))
        width, height = (round(side) if math.isfinite(side) else 0 for side in sides)
        return plausible_aspect(Fraction(width, height) if width > 0 and height > 0 else None)

    def ended(self) -> bool:
        """Return False: a camera may come back at any time."""
        return False

    def close(self) -> None:
        """Let go of the camera."""
        self._capture.release()


class FileSource:
    """A video file, pictures or a network stream in real time, on square pixels.

    Parameters
    ----------
    name : str
        See `tddfa.video.open_film`.

    Raises
    ------
    InputError
        If it cannot be opened or is no video.
    """

    def __init__(self, name: str) -> None:
        self._paced = not is_url(name)  # a stream sets its own pace
        self._reader = open_film(name)
        self._pictures = iter(self._reader)
        self._start: float | None = None
        self._ended = False

    def read(self) -> ImageArray | None:
        """Wait until the next frame is due; None at the end."""
        picture = next(self._pictures, None)
        if picture is None:
            self._ended = True
            return None
        if self._paced:
            now = time.monotonic()
            if self._start is None:
                self._start = now - picture.time
            time.sleep(max(0.0, self._start + picture.time - now))
        return picture.image

    def ended(self) -> bool:
        """Whether the last frame is out."""
        return self._ended

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


def open_source(name: str) -> Source:
    """Open camera index, device path, URL or file."""
    if name.isdecimal():
        return DeviceSource(int(name))
    if Path(name).is_char_device():
        return DeviceSource(name)
    if name.startswith("/dev/video"):
        raise InputError(f"--source {name}: no such camera")
    return FileSource(name)


class NewestFrame:
    """Capture in a thread of its own, keeping only the newest frame; a context manager.

    Parameters
    ----------
    source : Source
        Closed at the end.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="capture", daemon=True)
        self._thread.start()

    @property
    def captured(self) -> int:
        """Frames captured so far."""
        return 0 if self._newest is None else self._newest.index + 1

    def after(self, number: int, timeout: float) -> Frame | None:
        """Return the newest frame once there is one beyond `number`; None after `timeout` s."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_new(number) or self._stopped, timeout)
            return self._newest if self._is_new(number) else None

    def ended(self) -> bool:
        """Whether no further frame will come."""
        return self._stopped

    def _is_new(self, number: int) -> bool:
        return self._newest is not None and self._newest.index > number

    def _work(self) -> None:
        number = 0
        try:
            while not self._stopped:
                image = self._source.read()
                if image is None:
                    if self._source.ended():
                        return
                    continue
                with self._changed:
                    self._newest = Frame(number, time.monotonic(), image)
                    self._changed.notify_all()
                number += 1
        finally:
            self._source.close()
            with self._changed:
                self._stopped = True
                self._changed.notify_all()

    def __enter__(self) -> "NewestFrame":
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join(timeout=2)
