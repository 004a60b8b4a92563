"""From a video file to a video file: what the video demos share.

::

    decode -> track -> confirm -> dense vertices -> smooth -> draw -> encode
    `-thread-'`----------------- thread --------------------' thread   main thread

Every arrow between threads is a short queue: the stages overlap, and memory does not grow with the
length of the video.
"""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tddfa.aligner import Aligner
from tddfa.errors import InputError
from tddfa.io.decode import ImageArray
from tddfa.pipeline import Pipeline
from tddfa.tracking.confirmation import keep_confirmed
from tddfa.tracking.frames import Frame
from tddfa.tracking.live_smoothing import smooth_one_euro
from tddfa.tracking.smoothing import smooth_mean
from tddfa.tracking.tracker import FaceTracker, TrackerSettings
from tddfa.video.outputs import FrameDrawer
from tddfa.video.reader import VideoReader
from tddfa.video.records import open_records
from tddfa.video.uninterrupted import uninterrupted
from tddfa.video.work_ahead import ahead
from tddfa.video.writer import VideoWriter

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VideoJob:
    """What is to be made of a video.

    Attributes
    ----------
    source, target : Path
        Files to read and to write.
    option : str
        One of `tddfa.video.outputs.VIDEO_OPTIONS`.
    smooth : {'none', 'mean', 'one_euro'}
        See `tddfa.tracking.smoothing` and `tddfa.tracking.live_smoothing`.
    n_pre, n_next : int
        Frames before and after, for 'mean'.
    start, end : int
        First and last frame, counted from 0; -1 for the video's own.
    records : Path, optional
        File for parameters and landmarks, see `tddfa.video.records`.
    background : bool
        Draw over the frames; if false, on black.
    """

    source: Path
    target: Path
    option: str = "2d_sparse"
    smooth: str = "none"
    n_pre: int = 1
    n_next: int = 1
    start: int = -1
    end: int = -1
    crf: int = 20
    preset: str = "superfast"
    labels: bool = False
    background: bool = True
    n_threads: int = 1
    records: Path | None = None
    settings: TrackerSettings = field(default_factory=TrackerSettings)

    @property
    def trimmed(self) -> bool:
        """Whether a part of the video is left out."""
        return self.start > 0 or self.end >= 0


@dataclass
class Summary:
    """What a job did: frames, damaged frames skipped, ids seen, frames with a face."""

    frames: int = 0
    skipped: int = 0
    ids: set[int] = field(default_factory=set)
    with_face: int = 0


def run_job(
    job: VideoJob,
    reader: VideoReader,
    pipeline: Pipeline,
    summary: Summary,
    progress: Callable[[Frame], None] = lambda frame: None,
) -> None:
    """Do the job, filling `summary` as it goes, so that it is right after Ctrl-C, too.

    Raises
    ------
    InputError
        If no frame lies in the range or can be decoded, or a file cannot be written.
    """
    drawer = FrameDrawer(
        job.option,
        pipeline.aligner.tri,
        job.n_threads,
        labels=job.labels,
        background=job.background,
    )
    writer = VideoWriter(
        job.target,
        reader.time_base,
        reader.rate,
        crf=job.crf,
        preset=job.preset,
        sound=job.source,
        trimmed=job.trimmed,
    )
    tracker = FaceTracker.from_pipeline(pipeline, job.settings)
    frames = tracked_frames(job, reader, pipeline, tracker, dense=drawer.dense)
    n_params = pipeline.aligner.config.num_params
    drawn = ahead(_drawn(ahead(frames), drawer))
    with (
        contextlib.ExitStack() as stack,
        contextlib.closing(drawn),  # type: ignore[type-var]
        writer,
    ):
        records = stack.enter_context(open_records(job.records, n_params)) if job.records else None
        for frame, picture in drawn:
            with uninterrupted():  # or a frame is in the video and not in the records
                writer.write(picture, frame.pts)
                if records is not None:
                    records.add(frame)
                summary.frames += 1
            summary.skipped = reader.skipped
            summary.with_face += bool(frame.faces)
            summary.ids.update(face.track_id for face in frame.faces)
            progress(frame)
    if not summary.frames:
        where = f" between {job.start} and {job.end}" if job.trimmed else ""
        raise InputError(f"{job.source}: no frame{where} can be decoded")


def tracked_frames(
    job: VideoJob,
    reader: VideoReader,
    pipeline: Pipeline,
    tracker: FaceTracker,
    *,
    dense: bool,
) -> Iterator[Frame]:
    """Read, track and smooth; every stage lazily."""
    frames = keep_confirmed(_track(ahead(_range(reader, job.start, job.end)), tracker))
    add_vertices = partial(with_vertices, aligner=pipeline.aligner)
    if dense and job.smooth != "one_euro":
        frames = map(add_vertices, frames)
    if job.smooth == "mean":
        frames = smooth_mean(frames, job.n_pre, job.n_next, size=pipeline.aligner.size)
    elif job.smooth == "one_euro":
        frames = smooth_one_euro(frames, pipeline.aligner)
        if dense:  # made once, from the smoothed parameters
            frames = map(add_vertices, frames)
    return frames


def _range(reader: VideoReader, start: int, end: int) -> Iterator[Any]:
    for picture in reader:
        if end >= 0 and picture.index > end:
            return
        if picture.index >= start:
            yield picture


def _track(pictures: Iterable[Any], tracker: FaceTracker) -> Iterator[Frame]:
    for picture in pictures:
        faces = tracker(picture.image)
        yield Frame(picture.index, picture.time, picture.image, faces, tracker.cut, picture.pts)


def with_vertices(frame: Frame, aligner: Aligner) -> Frame:
    """Return a frame whose faces have all their vertices."""
    vertices = aligner.recon_vers(
        [face.param for face in frame.faces],
        [face.roi_box for face in frame.faces],
        dense_flag=True,
    )
    pairs = zip(frame.faces, vertices, strict=True)
    return replace(frame, faces=[replace(face, vertices=points) for face, points in pairs])


def _drawn(frames: Iterable[Frame], drawer: FrameDrawer) -> Iterator[tuple[Frame, ImageArray]]:
    for frame in frames:
        yield frame, drawer(frame)
