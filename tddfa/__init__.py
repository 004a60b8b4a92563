"""3D dense face alignment: parameters, vertices and pose of faces in a picture.

Examples
--------
>>> from tddfa import FaceAligner
>>> faces = FaceAligner().detect("examples/inputs/astronaut.png")
>>> [(face.landmarks.shape, face.vertices.shape[0]) for face in faces]
[((3, 68), 3)]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tddfa.config import Config, load_config
    from tddfa.errors import InputError
    from tddfa.face import Face
    from tddfa.face_aligner import FaceAligner
    from tddfa.frame import Frame
    from tddfa.model_files import load_face_model
    from tddfa.morphable_model import MorphableModel
    from tddfa.onnx_backend import TDDFA_ONNX
    from tddfa.pose import HeadPose, calc_pose, head_pose
    from tddfa.torch_backend import TDDFA

__all__ = [
    "TDDFA",
    "TDDFA_ONNX",
    "Config",
    "Face",
    "FaceAligner",
    "Frame",
    "HeadPose",
    "InputError",
    "MorphableModel",
    "calc_pose",
    "head_pose",
    "load_config",
    "load_face_model",
]
__version__ = "0.2.0"

_MODULES = {
    "TDDFA": "torch_backend",
    "TDDFA_ONNX": "onnx_backend",
    "Config": "config",
    "Face": "face",
    "FaceAligner": "face_aligner",
    "Frame": "frame",
    "HeadPose": "pose",
    "InputError": "errors",
    "MorphableModel": "morphable_model",
    "calc_pose": "pose",
    "head_pose": "pose",
    "load_config": "config",
    "load_face_model": "model_files",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that ``tddfa.errors`` alone costs nothing."""
    if name not in _MODULES:
        raise AttributeError(f"module 'tddfa' has no attribute {name!r}")
    try:
        module = import_module(f"tddfa.{_MODULES[name]}")
    except ModuleNotFoundError as error:
        package, _, kernel = (error.name or "").rpartition(".")
        ours = package.partition(".")[0] in ("tddfa", "FaceBoxes", "Sim3DR")
        if not (ours and kernel.startswith("_")):
            raise
        # The sources of a checkout lie in the current folder, before the package that is installed.
        raise ImportError(
            f"{error.name} is not compiled here: ./build.sh or pip install -e . in the checkout, "
            "or start Python in another folder to import the package that is installed"
        ) from error
    return getattr(module, name)
