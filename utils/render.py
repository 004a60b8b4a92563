"""The shaded mesh mixed over the picture."""

from tddfa.drawing.render import render

__all__ = ["render"]
