"""FaceBoxes, a face detector for the CPU: pictures in, face boxes out.

`FaceBoxes.detector` runs in PyTorch, `FaceBoxes.onnx_detector` in ONNX Runtime; both return arrays.
`FaceBoxes.FaceBoxes` here and in the module of that name, and `FaceBoxes.FaceBoxes_ONNX`, are the
reference's names, whose results are lists. Importing this package imports neither framework.
"""

from FaceBoxes.FaceBoxes import FaceBoxes

__all__ = ["FaceBoxes"]
