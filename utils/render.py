"""The shaded mesh mixed over the picture."""

from collections.abc import Iterable
from typing import Any

import numpy.typing as npt

from Sim3DR.lighting import RenderPipeline
from tddfa.compat.pictures import as_uint8
from tddfa.drawing import render as _drawing
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
# What `render` shades with; it may be replaced, or its light moved by `update_light_pos`.
render_app = RenderPipeline(**cfg)


def render(
    img: npt.ArrayLike, ver_lst: Iterable[npt.ArrayLike], tri: npt.ArrayLike, *args: Any, **kws: Any
) -> ImageArray:
    """Draw shaded faces, see `tddfa.drawing.render.render`; `img` may hold floats, 0 to 255.

    The light is that of `render_app`.
    """
    kws.setdefault("lights", render_app)
    return _drawing.render(as_uint8(img), ver_lst, tri, *args, **kws)
