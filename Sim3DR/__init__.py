"""Draw, shade and measure triangle meshes on the CPU; needs NumPy alone.

`rasterize` here is the reference's name, in `Sim3DR.Sim3DR`, and takes a picture of floats, too;
the function of that name in the module `Sim3DR.rasterize` is strict.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

# `rasterize` is a property below: an import of the module of that name would take its place.
_MODULES = {
    "RenderPipeline": "lighting",
    "get_normal": "normals",
    "EMPTY_DEPTH": "rasterize",
    "Fragments": "rasterize",
    "rasterize_triangles": "rasterize",
}


def __getattr__(name: str) -> Any:
    """Import on first use: faces that nobody draws need no mesh."""
    if name in ("Sim3DR", "lighting", "normals", "threads"):
        return import_module(f"Sim3DR.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module 'Sim3DR' has no attribute {name!r}")
    return getattr(import_module(f"Sim3DR.{_MODULES[name]}"), name)


class _Package(ModuleType):
    @property
    def rasterize(self) -> Any:
        """The function under the reference's name."""
        from .Sim3DR import rasterize

        return rasterize

    @rasterize.setter
    def rasterize(self, module: ModuleType) -> None:
        """Let Python's import, which puts each module into its package, do so in vain."""


sys.modules[__name__].__class__ = _Package
