"""The projected normalized coordinate code (PNCC)."""

from tddfa.drawing.pncc import pncc

__all__ = ["pncc"]
