"""Non-maximum suppression under the reference's name of its Python module."""

from FaceBoxes.utils.nms_wrapper import nms as py_cpu_nms

__all__ = ["py_cpu_nms"]
