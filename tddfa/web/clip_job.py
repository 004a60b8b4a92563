"""A clip's faces as files: the clip drawn on, its numbers, and animated heads."""

from tddfa.blendshapes import load_blendshapes
from tddfa.face_aligner import FaceAligner
from tddfa.frame import Frame
from tddfa.tracking.follow import Smooth
from tddfa.tracking.settings import TrackerSettings
from tddfa.video.job import Summary, VideoJob, run_job
from tddfa.video.open_film import open_film
from tddfa.video.reader import VideoReader
from tddfa.web.jobs import Job, JobResult
from tddfa.web.limits import Limits


def align_clip(job: Job, aligner: FaceAligner, *, option: str, neighbors: int) -> JobResult:
    """Follow the faces of a clip and draw one output.

    Parameters
    ----------
    job : Job
    aligner : FaceAligner
    option : str
        An output with ``video`` of `tddfa.outputs.OUTPUTS`.
    neighbors : int
        Frames before and as many after that landmarks are averaged over.

    Raises
    ------
    InputError
        If it is no clip, too large, or takes too long.
    """
    smooth: Smooth = "mean" if neighbors else "none"
    limits, folder = job.limits, job.folder
    with open_film(job.path) as reader:
        if isinstance(reader, VideoReader):
            limits.check_clip(reader.stream.width, reader.stream.height)
        most = max(1, round(limits.clip_seconds * reader.rate))
        total = reader.n_frames
        cut = total is None or total > most
        heads = load_blendshapes().belong_to(aligner.aligner.bfm)
        video, records = folder / f"clip_{option}.mp4", folder / "faces.csv"
        film = VideoJob(
            str(job.path),
            video,
            option=option,
            smooth=smooth,
            n_pre=neighbors,
            n_next=neighbors,
            end=most - 1 if cut else -1,
            labels=True,
            records=records,
            animation=folder / "head.glb" if heads else None,
            settings=TrackerSettings(max_faces=limits.clip_faces),
        )

        def step(frame: Frame) -> None:
            if frame.index == 0:
                limits.check_clip(frame.image.shape[1], frame.image.shape[0])
            job.deadline.check()
            job.progress(min(1.0, (frame.index + 1) / min(total or most, most)))

        summary = Summary()
        run_job(film, reader, aligner, summary, step)
    whole = [path for path in summary.animations if path.is_file()]
    files = [video, records, *whole]
    text = _text(summary, limits if cut and summary.frames == most else None)
    return JobResult(text, {}, files, head=whole[0] if whole else None, video=video)


def _text(summary: Summary, cut: Limits | None) -> str:
    frames = f"{summary.frames} frame{'' if summary.frames == 1 else 's'}"
    lines = [f"No face was found in {frames}."]
    if summary.with_face:
        count = len(summary.ids)
        lines = [f"{count} face{'' if count == 1 else 's'} in {summary.with_face} of {frames}."]
    if summary.skipped + summary.damaged:
        lines.append(f"{summary.skipped + summary.damaged} frames were damaged.")
    if cut is not None:
        lines.append(f"The clip's first {cut.clip_seconds} s; more is not worked on here.")
    return " ".join(lines)
