"""Read the pictures of a video: any container and codec that FFmpeg knows, through PyAV.

Frames come upright (rotation metadata is applied), on square pixels, as BGR, transparent ones laid
on white, each with its own time: a variable frame rate is kept, the first picture or sound is at 0.
What cannot be decoded is skipped and counted; a frame decoded in part is shown, as players do.
"""

import logging
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Any

import av
import numpy as np

from tddfa.frame import Frame
from tddfa.io.atomic import PathLike
from tddfa.io.decode import ImageArray, to_bgr
from tddfa.video.clock import LEAP, Clock, clock_for, clocked_packets
from tddfa.video.container import choose_streams, is_url, open_container
from tddfa.video.frame_times import FrameTimes
from tddfa.video.shape import SQUARE, CommonShape, plausible_aspect, square_size

__all__ = ["VideoReader", "is_url", "open_container"]

logger = logging.getLogger(__name__)

# Sides beyond this are refused: a forged header must not ask for gigabytes.
MAX_SIDE = 16_384
# A frame lasts at least so many units of our clock, so that there is room between two.
_FINE = 16
# What an MP4 holds between two frames, in units of its clock.
_MOST_UNITS = 2**31
_USUAL_RATE = Fraction(25)
# Longer films without a count of frames do not announce one: the length may be a broken clock's.
_LONGEST = 24 * 3600


class VideoReader:
    """Iterate over the frames of a video file; a context manager.

    Parameters
    ----------
    path : path-like
        Video file, animated picture, or URL.

    Attributes
    ----------
    skipped, damaged, leaps, missing, ended
        See `FrameReader`.

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, not a video, or has no pictures in it.

    Examples
    --------
    >>> with VideoReader("clip.mp4") as reader:  # doctest: +SKIP
    ...     for frame in reader:
    ...         print(frame.index, frame.time, frame.image.shape)
    """

    numbers = None

    def __init__(self, path: PathLike) -> None:
        self.path = path
        self.skipped = self.damaged = self.leaps = self.missing = 0
        self.ended = False
        self.container = open_container(path)
        try:
            self.streams = choose_streams(self.container, path)
        except BaseException:
            self.container.close()
            raise
        self.stream = self.streams.video
        # Threads over frames would hold many of them back, and swallow errors.
        self.stream.thread_type = "SLICE"
        self._said_aspect = self.stream.sample_aspect_ratio
        self._first_aspect = self.stream.codec_context.sample_aspect_ratio
        self._common_shape = CommonShape()

    @property
    def has_sound(self) -> bool:
        """Whether there is sound, of whatever codec."""
        return bool(self.streams.audio or self.streams.unknown_sounds)

    @property
    def time_base(self) -> Fraction:
        """Unit of `Frame.pts` in seconds: the file's, or a finer one if that is a whole frame."""
        unit = self._unit
        if unit * _MOST_UNITS <= LEAP:
            return Fraction(1, 90_000)
        frame = 1 / (self.rate * unit)
        return unit if frame >= _FINE else unit / -(-_FINE // max(1, round(frame)))

    @property
    def _unit(self) -> Fraction:
        return self.stream.time_base or Fraction(1, 1000)

    @property
    def rate(self) -> Fraction:
        """Mean frames per second, 25 where the file does not say."""
        rate = self.stream.average_rate or self.stream.guessed_rate or _USUAL_RATE
        return rate if 0 < rate <= 1000 else _USUAL_RATE

    @property
    def n_frames(self) -> int | None:
        """Number of frames that the file announces, None if it does not; it may be wrong."""
        if self.stream.frames:
            return int(self.stream.frames)
        seconds = (self.container.duration or 0) / av.time_base
        return round(seconds * float(self.rate)) if 0 < seconds < _LONGEST else None

    def __iter__(self) -> Iterator[Frame]:
        """Decode the file from its current position to its end."""
        scale, unit = self._unit / self.time_base, self.time_base
        clock = clock_for(self.container, self.streams)
        times = FrameTimes(
            round(1 / (self.rate * unit)),
            round(Fraction(clock.leap) / unit),
            by_order=self.container.format.name == "avi",
        )
        index = 0
        for frame in self._frames(clock, times, scale):
            image = _upright(frame)
            if image is None:
                self.skipped += 1
                continue
            stated = frame.pts if frame.pts is not None else frame.dts
            pts = times(None if stated is None else round(stated * scale))
            # A leap of the packets' clock may be one of the frames', too.
            self.leaps = max(clock.leaps, times.leaps)
            square, stored = self._common_shape(image, self._aspect(frame))
            yield Frame(index, float(pts * unit), square, pts=pts, stored=stored)
            index += 1
        self.ended = True

    def _aspect(self, frame: Any) -> Fraction:
        """Return the pixels' aspect of a frame that has been turned upright."""
        said = self._said_aspect
        # What the container says goes before what the codec says, until that changes.
        now = self.stream.codec_context.sample_aspect_ratio
        if now and now != self._first_aspect:
            said = now
        aspect = plausible_aspect(said)
        height, width = square_size(frame.height, frame.width, aspect)
        if max(height, width) > MAX_SIDE:
            return SQUARE
        return 1 / aspect if round(frame.rotation / 90) % 2 else aspect

    def _frames(self, clock: Clock, times: FrameTimes, scale: Fraction) -> Iterator[Any]:
        for packet in clocked_packets(self.container, self.streams, self.path, clock):
            if packet is None:
                self.skipped += 1
            elif packet.stream_index == self.stream.index:
                yield from self._decoded(packet, times, scale)
        yield from self._decoded(None, times, scale)

    def _decoded(self, packet: Any, times: FrameTimes, scale: Fraction) -> Iterator[Any]:
        """Yield the frames that a packet completes; None lets out those that the decoder holds."""
        stamp = None if packet is None or packet.pts is None else round(packet.pts * scale)
        times.expect(stamp)
        try:
            frames = self.stream.codec_context.decode(packet)
        except (av.error.FFmpegError, ValueError) as error:
            logger.debug("%s: %s", self.path, error)
            times.forget(stamp)
            self.skipped += packet is not None
            return
        for frame in frames:
            self.damaged += bool(frame.is_corrupt)
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
