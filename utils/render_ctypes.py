"""The shaded mesh under the names of the reference's renderer in C, matt: without a highlight."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from Sim3DR.lighting import RenderPipeline
from Sim3DR.Sim3DR import rasterize
from tddfa.compat.rendering import App, render_with
from tddfa.io.decode import ImageArray


class TrianglesMeshRender:
    """Draw meshes under one light from one side.

    Parameters
    ----------
    clibs : any
        Not looked at; the reference has the path of a compiled library here.
    light : sequence of 3 floats
        Position of the light; larger z is nearer.
    direction, ambient : sequence of 3 floats
        Colors of the light and of what comes from everywhere, in [0, 1], BGR.
    """

    def __init__(
        self,
        clibs: Any = None,
        light: Sequence[float] = (0, 0, 5),
        direction: Sequence[float] = (0.6, 0.6, 0.6),
        ambient: Sequence[float] = (0.3, 0.3, 0.3),
    ) -> None:
        self.lights = RenderPipeline(
            intensity_ambient=1,
            intensity_directional=1,
            intensity_specular=0,
            color_ambient=ambient,
            color_directional=direction,
            light_pos=light,
        )

    def __call__(
        self, vertices: npt.ArrayLike, triangles: npt.ArrayLike, bg: npt.NDArray[Any]
    ) -> npt.NDArray[Any]:
        """Draw a mesh, vertices (N, 3) in pixels, into `bg`, which is changed and returned."""
        points, faces = np.asarray(vertices), np.asarray(triangles)
        return rasterize(points, faces, self.lights.shade(points, faces), bg)


render_app: App = TrianglesMeshRender()


def render(
    img: npt.ArrayLike, ver_lst: Iterable[npt.ArrayLike], tri: npt.ArrayLike, *args: Any, **kws: Any
) -> ImageArray:
    """Draw shaded faces, see `tddfa.drawing.render.render`; `img` may hold floats, 0 to 255.

    They are drawn by `render_app`, which may be replaced as that of `utils.render`.
    """
    # Lights alone are drawn, and mixed in, where faces are: faster.
    app = render_app.lights if type(render_app) is TrianglesMeshRender else render_app
    return render_with(app, img, ver_lst, tri, *args, **kws)
