"""The shaded mesh mixed over the picture."""

from collections.abc import Iterable
from typing import Any

import numpy.typing as npt

from Sim3DR.lighting import RenderPipeline
from tddfa.compat.rendering import App, render_with
from tddfa.io.decode import ImageArray

cfg: dict[str, Any] = {
    "intensity_ambient": 0.3,
    "color_ambient": (1, 1, 1),
    "intensity_directional": 0.6,
    "color_directional": (1, 1, 1),
    "intensity_specular": 0.1,
    "specular_exp": 5,
    "light_pos": (0, 0, 5),
    "view_pos": (0, 0, 5),
}
# What `render` shades with; its lights may be changed, or it replaced by whatever draws a mesh.
render_app: App = RenderPipeline(**cfg)


def render(
    img: npt.ArrayLike, ver_lst: Iterable[npt.ArrayLike], tri: npt.ArrayLike, *args: Any, **kws: Any
) -> ImageArray:
    """Draw shaded faces, see `tddfa.drawing.render.render`; `img` may hold floats, 0 to 255.

    It is drawn by `render_app`, which may be any callable ``(vertices, triangles, picture)`` that
    returns the picture, such as `utils.render_ctypes.TrianglesMeshRender`.
    """
    return render_with(render_app, img, ver_lst, tri, *args, **kws)
