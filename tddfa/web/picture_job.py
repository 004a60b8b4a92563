"""A picture's faces as files: every output, meshes and numbers."""

from pathlib import Path

from tddfa.blendshapes import load_blendshapes
from tddfa.face_aligner import FaceAligner
from tddfa.frame import Frame
from tddfa.io.container import declared_size
from tddfa.io.pictures import imread, imwrite
from tddfa.io.report import picture_record, write_json
from tddfa.make_output import make_output
from tddfa.outputs import OUTPUTS, OutputSettings
from tddfa.web.jobs import Job, JobResult, faces_table

# Of the drawings: the page shows them, the sources are the visitor's own.
_JPEG_QUALITY = 90


def align_picture(job: Job, aligner: FaceAligner, *, alpha: float) -> JobResult:
    """Find the faces of a picture and make every output.

    Parameters
    ----------
    job : Job
    aligner : FaceAligner
    alpha : float
        Share of the shaded mesh in ``3d``, 0 to 1.

    Raises
    ------
    InputError
        If it is no picture, too large, or takes too long.
    """
    limits, folder = job.limits, job.folder
    width, height = declared_size(job.path.read_bytes()) or (0, 0)
    limits.check_picture(width, height)
    image = imread(job.path)
    limits.check_picture(image.shape[1], image.shape[0])
    found = aligner.detect(image)
    faces = found[: limits.faces]
    if not faces:
        return JobResult("No face was found in this picture.")
    frame = Frame.still(image, faces)
    heads = Frame.still(image, faces[: limits.heads])
    settings = OutputSettings(n_threads=2, alpha=alpha)
    belong = load_blendshapes().belong_to(aligner.aligner.bfm)
    names = [name for name in OUTPUTS if name != "glb" or belong]
    drawings, files = {}, []
    for number, name in enumerate(names):
        job.deadline.check()
        job.progress(number / len(names))
        output = OUTPUTS[name]
        target = folder / f"{'faces' if output.draw else 'heads'}_{name}{output.suffix}"
        if output.draw is None:
            make_output(name, heads, target, settings)
        else:
            picture = make_output(name, frame, None, settings)
            assert picture is not None
            imwrite(target, picture, _JPEG_QUALITY)
            drawings[name] = target
        files.append(target)
    report = folder / "faces.json"
    write_json(report, [picture_record(Path("picture"), image.shape, faces, [])])
    text = faces_table(faces)
    if len(found) > len(faces):
        text = f"{len(found)} faces, of which the best {len(faces)} are shown.\n\n{text}"
    if len(faces) > limits.heads:
        text += f"\n\nThe files for 3D hold the first {limits.heads} faces."
    head = folder / "heads_glb.glb"
    return JobResult(text, drawings, [*files, report], head=head if belong else None)
