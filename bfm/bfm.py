"""The face model under the reference's name."""

from pathlib import Path

from tddfa.compat.bfm import BFMModel
from utils.tddfa_util import _to_ctype

__all__ = ["BFMModel", "_to_ctype", "make_abs_path"]


def make_abs_path(fn: str) -> str:
    """Return the path of a file beside this module."""
    return str(Path(__file__).resolve().parent / fn)
