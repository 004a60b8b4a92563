"""The live demo: newest frame in, picture with faces out, keys in between."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tddfa.drawing.labels import draw_status
from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.io.pictures import imwrite
from tddfa.live.outlets import Outlet
from tddfa.outputs import OutputSettings, output_names
from tddfa.picture import ImageArray
from tddfa.tracking.tracker import FaceTracker
from tddfa.video.camera import NewestFrame
from tddfa.video.outputs import FrameDrawer
from tddfa.video.writer import VideoWriter

logger = logging.getLogger(__name__)

HELP = "q quit  o output  s save  r record  space pause"
# Seconds without a frame after which the screen says so, and after which --headless gives up.
_SILENCE, _GIVE_UP = 1.0, 10.0
_RECORD_RATE = Fraction(30)
_MILLISECOND = Fraction(1, 1000)

Smoother = Callable[[Iterable[Frame]], Iterator[Frame]]


@dataclass
class LiveStatistics:
    """Times of the last frames.

    Attributes
    ----------
    frames : int
        Frames shown.
    dropped : int
        Frames captured but replaced by newer ones before their turn.
    latencies : deque of float
        Seconds from capture to screen, of the last frames.
    """

    frames: int = 0
    dropped: int = 0
    with_face: int = 0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=30))
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=30))

    def add(self, captured: float, faces: int) -> None:
        """Count a frame that is about to be shown."""
        now = time.monotonic()
        self.frames += 1
        self.with_face += bool(faces)
        self.latencies.append(now - captured)
        self._times.append(now)

    @property
    def rate(self) -> float:
        """Frames per second."""
        span = self._times[-1] - self._times[0] if len(self._times) > 1 else 0.0
        return (len(self._times) - 1) / span if span > 0 else 0.0

    @property
    def latency(self) -> float:
        """Median in milliseconds."""
        return 1e3 * float(np.median(self.latencies)) if self.latencies else 0.0


class LiveView:
    """Track, draw and show what a camera sees.

    Parameters
    ----------
    camera : NewestFrame
        Where frames come from.
    tracker : FaceTracker
        A fresh one.
    smoother : callable
        Frames to smoothed frames; it may hold some back.
    option : str
        First output.
    folder : Path
        Where pictures and recordings go.
    mirror : bool
        Show left on the left, as a mirror does.
    settings : OutputSettings, optional
    outlets : sequence of Outlet
        Where faces and pictures go besides the screen.
    """

    def __init__(
        self,
        camera: NewestFrame,
        tracker: FaceTracker,
        smoother: Smoother,
        *,
        option: str = "2d_sparse",
        folder: Path = Path(),
        mirror: bool = True,
        settings: OutputSettings | None = None,
        outlets: Sequence[Outlet] = (),
    ) -> None:
        self.outlets = tuple(outlets)
        self.camera, self.tracker = camera, tracker
        self.smoother, self.option, self.folder = smoother, option, folder
        self.mirror, self.settings = mirror, settings or OutputSettings()
        self.statistics = LiveStatistics()
        self.paused = self.done = False
        self.recording: VideoWriter | None = None
        self._picture: ImageArray | None = None
        self._drawers: dict[str, FrameDrawer] = {}
        self._last_pts = -1
        self._start = time.monotonic()

    def run(self, show: Callable[[ImageArray], str] | None, limit: int | None = None) -> None:
        """Go on until 'q', the source's end, or `limit` frames; `show` None works unseen."""
        try:
            for frame in self.smoother(self._tracked(show)):
                captured = self._start + frame.time
                picture = self._draw(frame)
                for outlet in self.outlets:
                    outlet.take(frame, picture, self.statistics.frames)
                self.statistics.add(captured, len(frame.faces))
                self._picture = picture
                self._record(picture)
                if show is not None:
                    self.press(show(self._with_status(picture, frame)))
                if self.done or (limit is not None and self.statistics.frames >= limit):
                    return
        finally:
            self._stop_recording()

    def press(self, key: str) -> None:
        """Do what a key asks for; other keys do nothing."""
        if key in ("q", "\x1b"):
            self.done = True
        elif key == "o":
            options = output_names(video=True)
            self.option = options[(options.index(self.option) + 1) % len(options)]
        elif key == " ":
            self.paused = not self.paused
        elif key == "s" and self._picture is not None:
            path = self._name("png")
            imwrite(path, self._picture)
            logger.info("saved %s", path)
        elif key == "r":
            if self.recording is None:
                self.recording = VideoWriter(
                    self._name("mp4"), _MILLISECOND, _RECORD_RATE, preset="ultrafast"
                )
                self._last_pts, self._record_start = -1, time.monotonic()
            else:
                self._stop_recording()

    def _tracked(self, show: Callable[[ImageArray], str] | None) -> Iterator[Frame]:
        """Yield a frame for each new one of the camera; keep the window alive in between."""
        number, silent_since = -1, time.monotonic()
        while not self.done:
            newest = None if self.paused else self.camera.after(number, timeout=0.05)
            now = time.monotonic()
            if newest is None:
                if not self.paused and self.camera.ended():
                    return
                if show is None and now - silent_since > _GIVE_UP:
                    raise InputError(f"--source: no frame for {_GIVE_UP:.0f} seconds")
                if show is not None:
                    waiting = "paused" if self.paused else "no signal"
                    if self.paused or now - silent_since > _SILENCE:
                        self.press(show(self._idle(waiting)))
                if self.paused:
                    time.sleep(0.02)
                    silent_since = now
                continue
            self.statistics.dropped += max(0, newest.index - number - 1)
            number, silent_since = newest.index, now
            faces = [face for face in self.tracker(newest.image) if face.confirmed]
            since = newest.time - self._start
            yield Frame(number, since, newest.image, faces, self.tracker.cut)

    def _draw(self, frame: Frame) -> ImageArray:
        if self.option not in self._drawers:
            self._drawers[self.option] = FrameDrawer(self.option, self.settings)
        picture = self._drawers[self.option](frame)
        return np.asarray(cv2.flip(picture, 1), np.uint8) if self.mirror else picture

    def _with_status(self, picture: ImageArray, frame: Frame) -> ImageArray:
        count = len(frame.faces)
        figures = f"{self.statistics.rate:.0f} fps  {self.statistics.latency:.0f} ms"
        faces = f"{count} face{'' if count == 1 else 's'}" if count else "no face"
        lines = [f"{figures}  {faces}  {self.option}", HELP]
        if self.recording is not None:
            lines.append("recording")
        out = picture.copy()
        draw_status(out, lines)
        return out

    def _idle(self, reason: str) -> ImageArray:
        blank = np.zeros((360, 640, 3), np.uint8)
        out = blank if self._picture is None else self._picture.copy()
        draw_status(out, [reason, HELP])
        return out

    def _record(self, picture: ImageArray) -> None:
        if self.recording is None:
            return
        elapsed = time.monotonic() - self._record_start
        self._last_pts = max(self._last_pts + 1, round(elapsed / _MILLISECOND))
        self.recording.write(picture, self._last_pts)

    def _stop_recording(self) -> None:
        recording, self.recording = self.recording, None
        if recording is not None:
            recording.close()
            if recording.frames:
                logger.info("recorded %s (%d frames)", recording.path, recording.frames)

    def _name(self, suffix: str) -> Path:
        while True:  # a name of this very microsecond may be there, say as the file that is played
            stamp = datetime.now().strftime("%Y%m%d_%H%M%S_%f")
            path = self.folder / f"webcam_{stamp}.{suffix}"
            if not path.exists() and not path.is_symlink():
                return path


def statistics_line(statistics: LiveStatistics) -> str:
    """Return what there was, in one line."""
    values: dict[str, Any] = {
        "frames": statistics.frames,
        "with a face": statistics.with_face,
        "dropped": statistics.dropped,
    }
    counts = ", ".join(f"{count} {name}" for name, count in values.items())
    return (
        f"{counts}; {statistics.rate:.1f} fps, {statistics.latency:.1f} ms from capture to screen"
    )
