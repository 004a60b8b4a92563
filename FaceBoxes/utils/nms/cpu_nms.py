"""Non-maximum suppression under the reference's name of its compiled module."""

from FaceBoxes.utils.nms_wrapper import nms as cpu_nms

__all__ = ["cpu_nms"]
