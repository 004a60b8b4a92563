"""What is done with a file of each kind, as a user's program does it.

A trial returns the pixels that came out, in bytes, or 0; `InputError` says that the file is
refused. Whatever else it raises is a fault, and so is what it leaves in its folder.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tddfa.errors import InputError

Trial = Callable[[Path, Path], int]


def read_picture(path: Path, folder: Path) -> int:
    """Read a picture."""
    from tddfa.io.pictures import imread

    picture = imread(path)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert picture.size and picture.flags.c_contiguous
    return picture.nbytes


def draw_video(path: Path, folder: Path) -> int:
    """Draw landmarks into a video; what comes out must be one that plays."""
    from tddfa.commands.video import main
    from tddfa.video.reader import VideoReader

    target = folder / "out.mp4"
    arguments = ["-f", str(path), "--out", str(target), "-o", "2d_sparse", "--threads", "1"]
    try:
        code = main([*arguments, "--save_params", str(folder / "out.npz")], "tddfa video")
    except InputError:
        assert not list(folder.iterdir()), f"left behind: {sorted(folder.iterdir())}"
        raise
    assert code == 0, f"exit code {code}"
    names = sorted(entry.name for entry in folder.iterdir())
    assert names == ["out.mp4", "out.npz"], names
    with VideoReader(target) as reader:
        sizes = [frame.image.nbytes for frame in reader]
    with np.load(folder / "out.npz", allow_pickle=False) as records:
        assert records.files
    assert sizes and not reader.skipped, f"{len(sizes)} frames, {reader.skipped} of them damaged"
    return max(sizes)


def load_configuration(path: Path, folder: Path) -> int:
    """Build all that a configuration names."""
    from tddfa.face_aligner import FaceAligner

    faces = FaceAligner(path, threads=1).detect(np.zeros((64, 64, 3), np.uint8))
    assert not faces
    return 0


def load_checkpoint(path: Path, folder: Path) -> int:
    """Load a regressor's weights."""
    from tddfa.backbone import load_backbone
    from tddfa.checkpoint_head import check_head
    from tddfa.checkpoints import load_labels

    check_head(path)
    load_backbone(path)
    load_labels(path)
    return 0


def load_face_model(path: Path, folder: Path) -> int:
    """Load a face model and reconstruct a face with it."""
    from tddfa.model_files import load_face_model as load
    from tddfa.reconstruct import Reconstructor

    model = load(path)
    params = [np.zeros(12 + model.w_shp.shape[1] + model.w_exp.shape[1], np.float32)]
    for dense in (False, True):
        Reconstructor(model, 120)(params, [[0.0, 0.0, 120.0, 120.0]], dense=dense)
    return 0


def load_table(path: Path, folder: Path) -> int:
    """Load one of the small files beside a face model."""
    from tddfa.model_files import ModelTables, read_uv
    from tddfa.params import load_parameter_scale

    if path.stem == "uv":
        read_uv(ModelTables(uv=path), 90)
    else:
        load_parameter_scale(path)
    return 0


def open_network(path: Path, folder: Path) -> int:
    """Find faces with a detector's network."""
    from FaceBoxes.onnx_detector import FaceBoxes_ONNX

    FaceBoxes_ONNX(onnx_fp=path, num_threads=1)(np.zeros((64, 64, 3), np.uint8))
    return 0


TRIALS: dict[str, Trial] = {
    "picture": read_picture,
    "video": draw_video,
    "configuration": load_configuration,
    "checkpoint": load_checkpoint,
    "face_model": load_face_model,
    "pickle": load_face_model,
    "network": open_network,
    "table": load_table,
}
