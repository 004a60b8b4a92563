"""The name under which users of the reference import the ONNX Runtime aligner."""

from tddfa.onnx_backend import TDDFA_ONNX

__all__ = ["TDDFA_ONNX"]
