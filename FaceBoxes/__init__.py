"""FaceBoxes, a face detector for the CPU: pictures in, face boxes out.

`FaceBoxes.detector` runs in PyTorch, `FaceBoxes.onnx_detector` in ONNX Runtime; both return arrays.
`FaceBoxes.FaceBoxes` here and in the module of that name, and `FaceBoxes.FaceBoxes_ONNX`, are the
reference's names, whose results are lists. Importing this package imports neither framework.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from FaceBoxes.FaceBoxes import FaceBoxes

__all__ = ["FaceBoxes"]


_MODULES = (
    "FaceBoxes_ONNX",
    "base_detector",
    "box_coding",
    "detector",
    "nms",
    "onnx_detector",
    "postprocess",
    "preprocess",
    "prior_box",
    "reference_contract",
    "settings",
)


def __getattr__(name: str) -> Any:
    """Import a module on first use: ``FaceBoxes.settings`` alone needs no other."""
    if name not in _MODULES:
        raise AttributeError(f"module 'FaceBoxes' has no attribute {name!r}")
    return import_module(f"FaceBoxes.{name}")


class _Package(ModuleType):
    """The package, whose `FaceBoxes` is the class, read when it is first asked for.

    An import of the module of that name would put the module in its place.
    """

    @property
    def FaceBoxes(self) -> Any:  # noqa: N802 (the reference's name)
        """The detector under the reference's name."""
        from FaceBoxes.FaceBoxes import FaceBoxes

        return FaceBoxes

    @FaceBoxes.setter
    def FaceBoxes(self, module: ModuleType) -> None:  # noqa: N802 (the reference's name)
        """Let Python's import, which puts each module into its package, do so in vain."""


sys.modules[__name__].__class__ = _Package
