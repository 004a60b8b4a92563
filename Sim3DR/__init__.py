"""Draw, shade and measure triangle meshes on the CPU; needs NumPy alone.

`rasterize` here is the reference's name, in `Sim3DR.Sim3DR`, and takes a picture of floats, too;
the function of that name in the module `Sim3DR.rasterize` is strict.
"""

from .lighting import RenderPipeline
from .normals import get_normal
from .rasterize import EMPTY_DEPTH, Fragments, rasterize_triangles
from .Sim3DR import rasterize

__all__ = [
    "EMPTY_DEPTH",
    "Fragments",
    "RenderPipeline",
    "get_normal",
    "rasterize",
    "rasterize_triangles",
]
