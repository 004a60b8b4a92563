"""One upload, start to end: what it is, who works on it, what the visitor is told."""

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.face_aligner import FaceAligner
from tddfa.outputs import output_names
from tddfa.web.kinds import upload_kind
from tddfa.web.limits import Deadline, Limits

# The visitor's file within a job's folder, whatever its name was.
UPLOAD = "upload"


@dataclass(frozen=True)
class JobResult:
    """What became of an upload.

    Attributes
    ----------
    text : str
        What was found, in Markdown.
    drawings : dict of str to Path
        Picture of each drawn output, by its name.
    files : sequence of Path
        All files, to download.
    head : Path, optional
        GLB for the 3D viewer.
    video : Path, optional
        The clip, drawn on.
    """

    text: str
    drawings: Mapping[str, Path] = field(default_factory=dict)
    files: Sequence[Path] = ()
    head: Path | None = None
    video: Path | None = None


@dataclass(frozen=True)
class Job:
    """The work on one upload.

    Attributes
    ----------
    path : Path
        What was sent.
    folder : Path
        Where files are written, this job's alone.
    limits : Limits
    deadline : Deadline
    progress : callable
        Is told the share of the work that is done.
    """

    path: Path
    folder: Path
    limits: Limits
    deadline: Deadline
    progress: Callable[[float], None] = lambda share: None


@dataclass(frozen=True)
class JobChoices:
    """What a visitor chose beside the upload.

    Attributes
    ----------
    option : str
        Output that a clip is drawn with.
    alpha : float
        Share of the shaded mesh in ``3d`` of a picture, 0 to 1.
    neighbors : int
        Frames of a clip before and after that are averaged over, 0 to 5.
    weights : str
        One of `Networks.names`.
    """

    option: str = "2d_sparse"
    alpha: float = 0.6
    neighbors: int = 1
    weights: str = ""

    def check(self, networks: "Networks") -> None:
        """Raise `InputError` unless each choice is one that the page offers."""
        if self.option not in output_names(video=True):
            raise InputError(f"output: expected one of {', '.join(output_names(video=True))}")
        if not 0 <= self.alpha <= 1:
            raise InputError("alpha: expected 0 to 1")
        if self.neighbors not in range(6):
            raise InputError("smoothing: expected a whole number from 0 to 5")
        if self.weights not in networks.names:
            raise InputError(f"weights: expected one of {', '.join(networks.names)}")


class Networks:
    """The aligners that all visitors share, each built when it is first asked for.

    Parameters
    ----------
    build : mapping
        For each name of weights a function that builds an aligner; ``True`` asks for the one that
        follows faces in clips.
    """

    def __init__(self, build: Mapping[str, Callable[[bool], FaceAligner]]) -> None:
        self._build = dict(build)
        self._built: dict[tuple[str, bool], FaceAligner] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """Names of the weights, the default first."""
        return list(self._build)

    def get(self, name: str, *, clips: bool = False) -> FaceAligner:
        """Return the aligner of a name in `names`."""
        with self._lock:
            if (name, clips) not in self._built:
                self._built[name, clips] = self._build[name](clips)
            return self._built[name, clips]


def run_upload(
    upload: Path,
    folder: Path,
    networks: Networks,
    choices: JobChoices,
    limits: Limits,
    progress: Callable[[float], None] = lambda share: None,
) -> JobResult:
    """Work on an upload.

    Parameters
    ----------
    upload : Path
        What the visitor sent.
    folder : Path
        An empty folder of this job alone; it is removed if the job fails.
    networks : Networks
    choices : JobChoices
    limits : Limits
    progress : callable
        Is told the share of the work that is done.

    Raises
    ------
    InputError
        One line for the visitor, without any path of the server.
    """
    choices.check(networks)
    limits.check_size(upload.stat().st_size)
    path = folder / UPLOAD
    job = Job(path, folder, limits, Deadline(limits.work_seconds), progress)
    shutil.copyfile(upload, path)
    try:
        kind = upload_kind(path.read_bytes())
        aligner = networks.get(choices.weights, clips=kind == "clip")
        if kind == "clip":
            from tddfa.web.clip_job import align_clip

            return align_clip(job, aligner, option=choices.option, neighbors=choices.neighbors)
        from tddfa.web.picture_job import align_picture

        return align_picture(job, aligner, alpha=choices.alpha)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, InputError):
            raise InputError(_without_paths(str(error), folder)) from error
        raise
    finally:
        path.unlink(missing_ok=True)


def _without_paths(message: str, folder: Path) -> str:
    """Return a message that says 'the file' where it named the job's."""
    text = message.replace(f"{folder / UPLOAD}: ", "").replace(str(folder / UPLOAD), "the file")
    return text.replace(str(folder), "the job's folder")


def faces_table(faces: Sequence[Face]) -> str:
    """Return scores and angles in degrees as a Markdown table."""
    rows = [
        f"| {number} | {face.score:.2f} | {face.pose.yaw:.1f} | {face.pose.pitch:.1f} "
        f"| {face.pose.roll:.1f} |"
        for number, face in enumerate(faces, 1)
    ]
    return "\n".join(["| face | score | yaw | pitch | roll |", "|---|---|---|---|---|", *rows])
