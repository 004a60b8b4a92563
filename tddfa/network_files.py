"""Find the networks that a configuration stands for: regressor and detector, for both backends."""

import contextlib
from pathlib import Path

from tddfa.assets import find_asset
from tddfa.config import Config
from tddfa.errors import InputError
from tddfa.onnx_cache import find_onnx
from tddfa.onnx_join import joined_onnx
from tddfa.onnx_labels import is_made_from
from tddfa.processor import has_vnni
from tddfa.runtime import Precision

# Where the reference's repository and ours keep it.
REFERENCE_DETECTOR = "FaceBoxes/weights/FaceBoxesProd.pth"
OUR_DETECTOR = "weights/FaceBoxesProd.pth"
# Ending of quantized networks.
QUANTIZED = ".int8.onnx"


def regressor_onnx(config: Config, *, quantized: bool = False) -> Path:
    """Return the regressor as ONNX: ``onnx_fp`` if it is set, else what belongs to the checkpoint.

    Parameters
    ----------
    config : Config
    quantized : bool
        Its quantized form, ``.int8.onnx`` beside the other one.

    Raises
    ------
    InputError
        If there is none and none can be made, or the file was made from another checkpoint.
    """
    onnx_fp = config.find_if_set("onnx_fp")
    if quantized:
        if onnx_fp is not None:
            return _quantized(onnx_fp)
        checkpoint = config.find("checkpoint_fp")
        return _quantized(checkpoint, checkpoint)
    if onnx_fp is None:
        return find_onnx(config.find("checkpoint_fp"))
    if config.checkpoint_fp != Config.checkpoint_fp:  # the default was hardly meant
        _check(onnx_fp, config, "checkpoint_fp")
    return onnx_fp


def blendshapes_onnx(config: Config, network: Path) -> Path:
    """Return a regressor with the head that ``blendshapes_fp`` names, see `tddfa.onnx_join`.

    Raises
    ------
    InputError
        If a file is missing, or the head was trained on another regressor's features.
    """
    checkpoint = config.find("blendshapes_fp")
    head = checkpoint.with_suffix(".onnx")
    if not head.is_file():
        raise InputError(f"blendshapes_fp: no file '{head}' beside '{checkpoint}'")
    return joined_onnx(network, head)


def tracking_precision(config: Config) -> Precision:
    """Return what the regressor best computes in when it follows faces in ONNX Runtime on a CPU.

    ``int8`` where the processor has instructions for it and the quantized network is there: it
    takes well under half the time. With x1.0 the raw landmarks of a face that stands still tremble
    an eighth more, those of a moving one no more (docs/video.md). Else ``auto``.
    """
    with contextlib.suppress(InputError):
        if has_vnni():
            regressor_onnx(config, quantized=True)
            return "int8"
    return "auto"


def find_detector(config: Config) -> Path:
    """Return the detector's weights: ``detector_fp``, or those of the configuration's repository.

    Raises
    ------
    InputError
        If there are none.
    """
    if config.detector_fp is not None:
        return config.find("detector_fp")
    names = [OUR_DETECTOR, REFERENCE_DETECTOR]
    for name in reversed(names) if config.foreign else names:
        with contextlib.suppress(InputError):
            return find_asset(name, config.assets, config.folder, foreign=config.foreign)
    return find_asset(OUR_DETECTOR, config.assets)  # says where it was looked for


def detector_onnx(config: Config) -> Path:
    """Return the detector as ONNX: ``detector_onnx_fp``, or what belongs to its weights.

    Raises
    ------
    InputError
        If there is none and none can be made, or the file was made from other weights.
    """
    onnx_fp = config.find_if_set("detector_onnx_fp")
    if onnx_fp is None:
        return find_onnx(find_detector(config))
    if config.detector_fp is not None:
        _check(onnx_fp, config, "detector_fp")
    return onnx_fp


def _quantized(beside: Path, checkpoint: Path | None = None) -> Path:
    path = beside.with_suffix(QUANTIZED)
    if not path.is_file():
        raise InputError(
            f"precision int8: no file '{path}' (python -m training.quantize {beside} makes it)"
        )
    if checkpoint is not None:
        is_made_from(path, checkpoint)
    return path


def face_check_onnx(config: Config) -> Path | None:
    """Return the face check as ONNX, None where the configuration names none.

    Raises
    ------
    InputError
        If a file is missing, none can be made, or it was made from other weights.
    """
    onnx_fp = config.find_if_set("face_check_onnx_fp")
    if onnx_fp is None:
        checkpoint = config.find_if_set("face_check_fp")
        return None if checkpoint is None else find_onnx(checkpoint)
    if config.face_check_fp is not None:
        _check(onnx_fp, config, "face_check_fp")
    return onnx_fp


def _check(onnx_fp: Path, config: Config, key: str) -> None:
    try:
        checkpoint = config.find(key)
    except InputError:
        return  # nothing to compare with, and nothing needed from it
    is_made_from(onnx_fp, checkpoint)
