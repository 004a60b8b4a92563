"""FaceBoxes, a face detector for the CPU: pictures in, face boxes out.

`FaceBoxes` runs in PyTorch, `FaceBoxes.FaceBoxes_ONNX.FaceBoxes_ONNX` in ONNX Runtime. Importing
this package imports neither.
"""

from FaceBoxes.detector import FaceBoxes

__all__ = ["FaceBoxes"]
