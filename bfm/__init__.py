"""The face model under the reference's name."""

from bfm.bfm import BFMModel

__all__ = ["BFMModel"]
