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
from dataclasses import dataclass, field
from pathlib import Path

from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.frame import Frame
from tddfa.outputs import OutputSettings
from tddfa.picture import ImageArray
from tddfa.records import RecordLayout, open_records
from tddfa.tracking.follow import Smooth, follow
from tddfa.tracking.tracker import FaceTracker, TrackerSettings
from tddfa.video.frame_reader import FrameReader
from tddfa.video.head_recorder import HeadRecorder
from tddfa.video.outputs import FrameDrawer
from tddfa.video.sequence_names import SequenceName
from tddfa.video.sequence_writer import SequenceWriter
from tddfa.video.shape import SQUARE, to_stored
from tddfa.video.uninterrupted import uninterrupted
from tddfa.video.work_ahead import ahead
from tddfa.video.writer import VideoWriter

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VideoJob:
    """What is to be made of a video.

    Attributes
    ----------
    source : str
        What is read, see `tddfa.video.open_film`.
    target : Path or SequenceName
        Video or pictures to write.
    option : str
        An output with ``video`` of `tddfa.outputs.OUTPUTS`.
    smooth : {'none', 'mean', 'one_euro'}
        See `tddfa.tracking.smoothing` and `tddfa.tracking.live_smoothing`.
    n_pre, n_next : int
        Frames before and after, for 'mean'.
    start, end : int
        First and last frame, counted from 0; -1 for the video's own.
    records : Path, optional
        File for parameters and landmarks, see `tddfa.records`.
    record_format : str
        One of `tddfa.records.RECORD_FORMATS`.
    record_blendshapes : bool
        Whether records have ARKit's coefficients; the pipeline gives them.
    animation : Path, optional
        File for animated heads, see `tddfa.video.head_recorder`.
    first_number : int, optional
        Number of the first of the pictures written, see `SequenceWriter`.
    background : bool
        Draw over the frames; if false, on black.
    """

    source: str
    target: Path | SequenceName
    option: str = "2d_sparse"
    smooth: Smooth = "none"
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
    record_format: str = "own"
    record_blendshapes: bool = False
    animation: Path | None = None
    first_number: int | None = None
    settings: TrackerSettings = field(default_factory=TrackerSettings)

    @property
    def trimmed(self) -> bool:
        """Whether a part of the video is left out."""
        return self.start > 0 or self.end >= 0


@dataclass
class Summary:
    """What a job did: frames written, ids seen, animations written, frames with a face.

    Besides what the reader counted, see `FrameReader`: frames skipped, frames shown though damaged,
    leaps of the clock, numbers missing.
    """

    frames: int = 0
    skipped: int = 0
    damaged: int = 0
    leaps: int = 0
    missing: int = 0
    ids: set[int] = field(default_factory=set)
    animations: list[Path] = field(default_factory=list)
    with_face: int = 0

    def take(self, reader: FrameReader) -> None:
        """Take over what a reader counted so far."""
        self.skipped, self.damaged = reader.skipped, reader.damaged
        self.leaps, self.missing = reader.leaps, reader.missing


def run_job(
    job: VideoJob,
    reader: FrameReader,
    pipeline: FaceAligner,
    summary: Summary,
    progress: Callable[[Frame], None] = lambda frame: None,
) -> None:
    """Do the job, filling `summary` as it goes, so that it is right after Ctrl-C, too.

    Raises
    ------
    InputError
        If no frame lies in the range or can be decoded, or a file cannot be written.
    """
    settings = OutputSettings(n_threads=job.n_threads, background=job.background)
    drawer = FrameDrawer(job.option, settings, labels=job.labels)
    heads = HeadRecorder(job.animation, pipeline.aligner.bfm) if job.animation else None
    writer = open_writer(job, reader)
    frames = follow(
        ahead(_range(reader, job.start, job.end)),
        FaceTracker(pipeline.tracking_detector, pipeline.aligner, job.settings, pipeline.check),
        pipeline.aligner,
        smooth=job.smooth,
        n_pre=job.n_pre,
        n_next=job.n_next,
        dense=drawer.dense,
    )
    layout = RecordLayout(
        pipeline.aligner.config.num_params, float(reader.rate), job.record_blendshapes
    )
    as_video = isinstance(writer, VideoWriter)
    drawn = ahead(_drawn(ahead(frames), drawer, stored=as_video))
    with (
        contextlib.ExitStack() as stack,
        contextlib.closing(drawn),
        writer,
    ):
        if heads is not None:  # after Ctrl-C, too: what was seen until then
            stack.callback(lambda: summary.animations.extend(heads.write()))
        records = None
        for frame, picture in drawn:
            if job.records and records is None:  # not before: of no frame there is nothing to tell
                records = stack.enter_context(open_records(job.records, layout, job.record_format))
            with uninterrupted():  # or a frame is in the video and not in the records
                aspect = frame.stored.aspect if as_video and frame.stored else SQUARE
                writer.write(picture, frame.pts if as_video else frame.index, aspect)
                if records is not None:
                    records.add(frame)
                if heads is not None:
                    heads.add(frame)
                summary.frames += 1
            summary.take(reader)
            summary.with_face += bool(frame.faces)
            summary.ids.update(face.track_id for face in frame.faces if face.track_id)
            progress(frame)
        summary.take(reader)
        writer.whole = reader.ended
    if not summary.frames:
        where = f" between {job.start} and {job.end}" if job.trimmed else ""
        raise InputError(f"{job.source}: expected a video, no frame{where} can be decoded")


def open_writer(job: VideoJob, reader: FrameReader) -> VideoWriter | SequenceWriter:
    """Return what writes a job's pictures."""
    if isinstance(job.target, SequenceName):
        return SequenceWriter(job.target, reader.numbers, job.first_number)
    return VideoWriter(
        job.target,
        reader.time_base,
        reader.rate,
        crf=job.crf,
        preset=job.preset,
        sound=job.source if reader.has_sound else None,
        trimmed=job.trimmed,
    )


def _range(reader: FrameReader, start: int, end: int) -> Iterator[Frame]:
    for frame in reader:
        if end >= 0 and frame.index > end:
            return
        if frame.index >= start:
            yield frame


def _drawn(
    frames: Iterable[Frame], drawer: FrameDrawer, *, stored: bool
) -> Iterator[tuple[Frame, ImageArray]]:
    for frame in frames:
        picture = drawer(frame)
        if stored and frame.stored is not None:
            picture = to_stored(picture, frame.image, frame.stored)
        yield frame, picture
