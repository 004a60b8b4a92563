"""Write H.264 videos that browsers play: MP4, yuv420p, the index in front."""

import contextlib
import logging
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from tddfa.errors import InputError
from tddfa.io.atomic import PathLike, checked_target, temporary_beside
from tddfa.picture import ImageArray
from tddfa.video.audio import AudioCopy
from tddfa.video.container import reason
from tddfa.video.shape import SQUARE
from tddfa.video.uninterrupted import uninterrupted

logger = logging.getLogger(__name__)

# Container by the output's extension.
FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
# Matrix, primaries and transfer of BT.601, as H.264 numbers them: what OpenCV converts to.
_BT601 = 6


class VideoWriter:
    """Encode pictures; a context manager.

    The file appears under its name when it is closed. If an error or Ctrl-C ends the work early,
    it holds, complete and playable, what was written until then; without a single picture there is
    no file.

    Parameters
    ----------
    path : path-like
        ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``; missing parent folders are made.
    time_base : Fraction
        Unit of the time stamps in seconds.
    rate : Fraction
        Mean frames per second; the time stamps decide when a picture is shown.
    crf : int
        x264's quality, 0 (lossless) to 51.
    preset : str
        x264's preset: the slower, the smaller the file.
    sound : path-like, optional
        File or URL whose sound is taken over.
    trimmed : bool
        Move the first picture to time 0 and leave out the sound before it. If not, all time stamps
        stay what they are.

    Attributes
    ----------
    frames : int
        Pictures written so far.
    whole : bool
        Whether the sound goes on to its end, or ends with the pictures: at first, as if `trimmed`
        left out the end, too.

    Raises
    ------
    InputError
        If the extension or the quality is unknown, or the file cannot be written.
    """

    def __init__(
        self,
        path: PathLike,
        time_base: Fraction,
        rate: Fraction,
        *,
        crf: int = 20,
        preset: str = "veryfast",
        sound: PathLike | None = None,
        trimmed: bool = False,
    ) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in FORMATS:
            raise InputError(f"{path}: expected a name ending in {', '.join(FORMATS)}")
        if not 0 <= crf <= 51:
            raise InputError(f"crf: expected 0 to 51, got {crf}")
        self.time_base, self.rate = time_base, rate
        # No loop filter, simpler entropy coding: a quarter less work for 8 % more bytes.
        self.options = {"crf": str(crf), "preset": preset, "tune": "fastdecode"}
        self.sound = sound
        self.trimmed = trimmed
        self.frames = 0
        self.whole = not trimmed
        self._first = self._last = 0
        self._step = max(1, round(1 / (rate * time_base)))
        self._output: Any = None
        self._stream: Any = None
        self._audio: AudioCopy | None = None
        self._target = checked_target(self.path)
        self._temporary = temporary_beside(self._target)

    def write(self, image: ImageArray, pts: int, aspect: Fraction = SQUARE) -> None:
        """Append a BGR picture (H, W, 3), shown from `pts` on.

        `aspect` is the width of its pixels divided by their height. Sizes and aspect are those of
        the first picture.

        Raises
        ------
        InputError
            If the file cannot be written (a full disk, …).
        """
        try:
            if self._output is None:
                self._open(image, pts, aspect)
            elif pts <= self._last:
                raise ValueError(f"pts: expected more than {self._last}, got {pts}")
            self._last = pts
            if self._audio is not None:
                self._audio.pump(float(pts * self.time_base))
            height, width = self._size
            if image.shape[:2] != self._size:
                image = np.asarray(cv2.resize(image, (width, height)), np.uint8)
            if height % 2 or width % 2:  # yuv420p has a color value for every 2x2 pixels
                image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            frame = av.VideoFrame.from_ndarray(to_yuv420p(image), format="yuv420p")
            frame.pts, frame.time_base = pts - self._first, self.time_base
            self._output.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as error:
            raise InputError(f"cannot write {self.path}: {reason(error)}") from error
        self.frames += 1

    def _open(self, image: ImageArray, pts: int, aspect: Fraction) -> None:
        self._size = image.shape[:2]
        self._first = pts if self.trimmed else 0
        try:
            self._start(aspect, self.sound, float(pts * self.time_base))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if self.sound is None:
                raise
            # Rather a film without its sound than none.
            self._drop_output()
            self._start(aspect, None, 0.0)
            logger.warning("%s: its sound cannot be kept: %s", self.sound, reason(error))

    def _start(self, aspect: Fraction, sound: PathLike | None, start: float) -> None:
        height, width = self._size
        container = FORMATS[self.path.suffix.lower()]
        options = {"movflags": "+faststart"} if container in ("mp4", "mov") else {}
        self._output = av.open(str(self._temporary), "w", format=container, options=options)
        self._stream = self._output.add_stream("libx264", rate=self.rate, options=self.options)
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = self.time_base
        context.sample_aspect_ratio = aspect
        context.colorspace = context.color_primaries = context.color_trc = _BT601
        context.color_range = ColorRange.MPEG.value
        if sound is not None:
            self._audio = AudioCopy(sound, self._output, start, self.trimmed)
        self._output.start_encoding()

    def _drop_output(self) -> None:
        for part in (self._audio, self._output):
            if part is not None:
                with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
                    part.close()
        self._audio = self._output = None

    def close(self, complete: bool = True) -> None:
        """Finish the file; `complete` says that no picture is missing at the end."""
        if self._output is None:
            return
        try:
            self._output.mux(self._stream.encode(None))
            if self._audio is not None:
                end = float((self._last + self._step) * self.time_base)
                self._audio.finish(None if complete and self.whole else end)
                self._audio = None
            self._output.close()
            if self.frames:
                self._temporary.replace(self._target)
        except (av.error.FFmpegError, OSError) as error:
            raise InputError(f"cannot write {self.path}: {reason(error)}") from error
        finally:
            self._drop_output()
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with uninterrupted():  # a second Ctrl-C must not cost what is done
            self.close(complete=error is None)


def to_yuv420p(image: ImageArray) -> ImageArray:
    """Return a BGR picture (H, W, 3) of even sides as planes Y, U, V in BT.601, (3·H/2, W).

    FFmpeg's converter cuts fractions off, which darkens the picture by up to four levels, or takes
    four times as long. OpenCV rounds, but takes the color of one pixel for four: it gets the mean.
    """
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
    # Halved, a pixel is the mean of its 2x2 block.
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)
    full_range = cv2.cvtColor(half, cv2.COLOR_BGR2YCrCb)
    colors = cv2.convertScaleAbs(full_range, alpha=224 / 255, beta=128 * (1 - 224 / 255))
    planes[height:] = np.stack([colors[..., 2], colors[..., 1]]).reshape(height // 2, width)
    return np.asarray(planes, np.uint8)
