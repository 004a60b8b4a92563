"""Read the pictures of a video: any container and codec that FFmpeg knows, through PyAV.

Frames come upright (rotation metadata is applied), as BGR, transparent ones laid on white, each
with its own time stamp: a variable frame rate is kept. What cannot be decoded is skipped and
counted.
"""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from tddfa.errors import InputError
from tddfa.io.atomic import PathLike
from tddfa.io.decode import ImageArray, to_bgr

logger = logging.getLogger(__name__)

# Sides beyond this are refused: a forged header must not ask for gigabytes.
MAX_SIDE = 16_384
# Seconds to open a URL and to wait for its next packet.
URL_TIMEOUT = (10.0, 5.0)


@dataclass(frozen=True)
class Picture:
    """One decoded frame.

    Attributes
    ----------
    index : int
        Number of the frame in the file, from 0; frames that could not be decoded are not counted.
    pts : int
        Presentation time in units of the stream's time base.
    time : float
        The same in seconds.
    image : ndarray, shape (H, W, 3), uint8
        BGR, C-contiguous.
    """

    index: int
    pts: int
    time: float
    image: ImageArray


class VideoReader:
    """Iterate over the frames of a video file; a context manager.

    Parameters
    ----------
    path : path-like
        Video file, animated picture, or URL.

    Attributes
    ----------
    skipped : int
        Damaged packets and frames so far.

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, not a video, or has no pictures in it.

    Examples
    --------
    >>> with VideoReader("clip.mp4") as reader:  # doctest: +SKIP
    ...     for picture in reader:
    ...         print(picture.index, picture.time, picture.image.shape)
    """

    def __init__(self, path: PathLike) -> None:
        self.path = path
        self.skipped = 0
        self.container = open_container(path)
        if not self.container.streams.video:
            self.container.close()
            raise InputError(f"{path}: expected a video, found no pictures in it")
        self.stream = self.container.streams.video[0]
        # Threads over frames would hold many of them back, and swallow errors.
        self.stream.thread_type = "SLICE"

    @property
    def time_base(self) -> Fraction:
        """Unit of `Picture.pts` in seconds."""
        return self.stream.time_base or Fraction(1, 1000)

    @property
    def rate(self) -> Fraction:
        """Mean frames per second, 25 where the file does not say."""
        rate = self.stream.average_rate or self.stream.guessed_rate or Fraction(25)
        return rate if 0 < rate <= 1000 else Fraction(25)

    @property
    def n_frames(self) -> int | None:
        """Number of frames that the file announces, None if it does not."""
        if self.stream.frames:
            return int(self.stream.frames)
        if self.container.duration:
            return round(self.container.duration / av.time_base * float(self.rate))
        return None

    def __iter__(self) -> Iterator[Picture]:
        """Decode the file from its current position to its end."""
        step = max(1, round(1 / (self.rate * self.time_base)))
        index, last = 0, None
        for frame in self._frames():
            pts = frame.pts
            # Frames without a time, or behind the one before, follow it at the mean rate.
            if pts is None or (last is not None and pts <= last):
                pts = 0 if last is None else last + step
            image = _upright(frame)
            if image is not None:
                yield Picture(index, pts, float(pts * self.time_base), image)
                index, last = index + 1, pts
            else:
                self.skipped += 1

    def _frames(self) -> Iterator[Any]:
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError) as error:  # a file that ends too early
                logger.debug("%s: %s", self.path, error)
                self.skipped += 1
                return
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, ValueError) as error:
                logger.debug("%s: %s", self.path, error)
                self.skipped += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.skipped += 1
                else:
                    yield frame

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_container(path: PathLike) -> Any:
    """Open a file or URL for reading, with one line naming it if that fails."""
    name = os.fspath(path)
    try:
        if is_url(name):
            return av.open(name, metadata_errors="replace", timeout=URL_TIMEOUT)
        file = Path(path)
        if file.is_dir():
            raise InputError(f"{name}: expected a video file, found a folder")
        if not file.exists():
            raise InputError(f"{name}: no such file")
        if file.is_file() and file.stat().st_size == 0:
            raise InputError(f"{name}: the file is empty")
        return av.open(name, metadata_errors="replace")
    except InputError:
        raise
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name}: expected a video, or the file is damaged ({reason})") from error
    except ValueError as error:  # a null character in the name
        raise InputError(f"{name!r}: cannot be read: {error}") from error


def is_url(name: str) -> bool:
    """Tell a URL (``rtsp://…``) from a path, of Windows, too."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name) is not None


def _upright(frame: Any) -> ImageArray | None:
    """Return a frame as BGR, turned as its metadata asks; None if it cannot be converted."""
    if not (0 < frame.width <= MAX_SIDE and 0 < frame.height <= MAX_SIDE):
        return None
    alpha = any(component.is_alpha for component in frame.format.components)
    palette = frame.format.name == "pal8"
    try:
        if alpha or palette:
            image = to_bgr(frame.to_ndarray(format="bgra"))
        else:
            image = frame.to_ndarray(format="bgr24")
    except (av.error.FFmpegError, ValueError) as error:
        logger.debug("%s", error)
        return None
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns) if turns else image)
