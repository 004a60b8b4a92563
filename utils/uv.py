"""The faces' texture, unrolled."""

from tddfa.drawing.uv import uv_tex

__all__ = ["uv_tex"]
