"""3D dense face alignment: parameters, vertices and pose of faces in a picture.

Examples
--------
>>> from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX  # doctest: +SKIP
>>> from tddfa import TDDFA_ONNX, load_config  # doctest: +SKIP
>>> tddfa = TDDFA_ONNX(**vars(load_config("configs/mb1_120x120.yml")))  # doctest: +SKIP
>>> params, rois = tddfa(img, FaceBoxes_ONNX()(img))  # doctest: +SKIP
>>> vertices = tddfa.recon_vers(params, rois, dense_flag=True)  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tddfa.config import Config, load_config
    from tddfa.errors import InputError
    from tddfa.model_files import load_face_model
    from tddfa.morphable_model import MorphableModel
    from tddfa.onnx_backend import TDDFA_ONNX
    from tddfa.pose import HeadPose, calc_pose, head_pose
    from tddfa.torch_backend import TDDFA

__all__ = [
    "TDDFA",
    "TDDFA_ONNX",
    "Config",
    "HeadPose",
    "InputError",
    "MorphableModel",
    "calc_pose",
    "head_pose",
    "load_config",
    "load_face_model",
]
__version__ = "0.1.0"

_MODULES = {
    "TDDFA": "torch_backend",
    "TDDFA_ONNX": "onnx_backend",
    "Config": "config",
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
    return getattr(import_module(f"tddfa.{_MODULES[name]}"), name)
