"""The faces' depth as gray."""

from tddfa.drawing.depth import depth

__all__ = ["depth"]
