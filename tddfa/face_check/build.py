"""Build the face check that a configuration names."""

from typing import TYPE_CHECKING

from tddfa.network_files import face_check_onnx

if TYPE_CHECKING:
    from tddfa.config import Config
    from tddfa.face_check.check import FaceCheck
    from tddfa.runtime import Runtime


def build_face_check(config: "Config", runtime: "Runtime") -> "FaceCheck | None":
    """Build the face check, None where the configuration names none.

    Raises
    ------
    InputError
        If its file is missing or another network's, or the device is not there.
    """
    if config.face_check_fp is None and config.face_check_onnx_fp is None:
        return None
    if runtime.backend == "torch" and config.face_check_fp is not None:
        from tddfa.face_check.torch_check import TorchFaceCheck

        return TorchFaceCheck(config.find("face_check_fp"), runtime.device)
    from tddfa.face_check.onnx_check import OnnxFaceCheck

    path = face_check_onnx(config)
    assert path is not None
    return OnnxFaceCheck(path)
