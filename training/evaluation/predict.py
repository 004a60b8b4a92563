"""Run a regressor over faces: the same code for the reference's weights and for ours."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.backbone import load_backbone
from tddfa.config import load_config
from tddfa.errors import InputError
from tddfa.onnx_backend import TDDFA_ONNX
from tddfa.picture import ImageArray
from tddfa.runtime import Precision
from tddfa.torch_backend import TDDFA
from training.evaluation.benchmark_sets import LandmarkSet, read_picture

FloatArray = npt.NDArray[np.float32]


def open_aligner(
    config: str | Path,
    *,
    checkpoint: str | None = None,
    param_scale: str | None = None,
    face_model: str | None = None,
    assets: str | None = None,
    device: str = "cpu",
    onnx: bool = False,
    threads: int | None = None,
    precision: Precision = "float32",
    second_look: bool = False,
) -> Aligner:
    """Open what a configuration names, with some of its files exchanged.

    `onnx` and `threads` choose ONNX Runtime, which is faster on a CPU, and its threads; a
    `precision` of ``int8`` does, too, for the quantized network beside the checkpoint. With
    `second_look` faces are looked at again, closer and in a mirror, as in still pictures.

    Raises
    ------
    InputError
        If a file is missing, they do not fit together, or a mirror is asked for that the face model
        does not know.
    """
    given = load_config(config, assets)
    changes: dict[str, Any] = {}
    if face_model is not None:
        # The tables complete a model in the reference's format; another model has its own.
        changes = dict.fromkeys(("tri_fp", "uv_fp", "uv_indices_fp", "ncc_fp"))
        changes["bfm_fp"] = face_model
    if checkpoint is not None:
        arch, width = checkpoint_network(checkpoint)
        changes.update(checkpoint_fp=checkpoint, arch=arch, widen_factor=width)
    if param_scale is not None:
        changes["param_mean_std_fp"] = param_scale
    if onnx or precision == "int8":
        names = vars(replace(given, **changes))
        aligner: Aligner = TDDFA_ONNX(num_threads=threads, precision=precision, **names)
    else:
        aligner = TDDFA(gpu_mode=device != "cpu", **vars(replace(given, **changes)))
    if not second_look:
        return aligner
    looking = aligner.with_second_look()
    if looking is aligner:
        raise InputError(
            f"'{config}': expected a face model that is symmetric, to look in a mirror"
        )
    return looking


def checkpoint_network(checkpoint: str | Path) -> tuple[str, float]:
    """Return name and width of the network that a checkpoint holds."""
    network = load_backbone(checkpoint)
    return network.arch, network.width


def predict_faces(
    aligner: Aligner, picture: ImageArray, rois: list[list[float]]
) -> tuple[FloatArray, FloatArray]:
    """Return parameters (n, 62) and landmarks (n, 3, 68) in pixels of one picture's faces."""
    params = aligner.align_rois(picture, rois)
    return params, np.stack(aligner.recon_vers(list(params), rois))


def predict_set(aligner: Aligner, faces: LandmarkSet) -> tuple[FloatArray, FloatArray]:
    """Return parameters (n, 62) and landmarks (n, 3, 68) of all faces of a set."""
    params, points = [], []
    for path, roi in zip(faces.paths, faces.rois, strict=True):
        param, point = predict_faces(aligner, read_picture(path), [roi.tolist()])
        params.append(param[0])
        points.append(point[0])
    return np.stack(params), np.stack(points)
