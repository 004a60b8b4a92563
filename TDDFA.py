"""The name under which users of the reference import the PyTorch aligner."""

from tddfa.torch_backend import TDDFA

__all__ = ["TDDFA"]
