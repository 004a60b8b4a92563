"""Draw, shade and measure triangle meshes on the CPU; needs NumPy alone."""

from .lighting import RenderPipeline
from .normals import get_normal
from .rasterize import EMPTY_DEPTH, Fragments, rasterize, rasterize_triangles

__all__ = [
    "EMPTY_DEPTH",
    "Fragments",
    "RenderPipeline",
    "get_normal",
    "rasterize",
    "rasterize_triangles",
]
