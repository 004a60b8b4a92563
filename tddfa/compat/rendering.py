"""Shaded faces by whatever stands in for `utils.render.render_app`."""

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from Sim3DR.lighting import RenderPipeline
from tddfa.compat.pictures import as_uint8
from tddfa.drawing import render as _drawing
from tddfa.drawing.canvas import canvas, meshes
from tddfa.drawing.checks import as_faces, as_picture
from tddfa.drawing.show import deliver
from tddfa.errors import InputError
from tddfa.io.atomic import PathLike
from tddfa.picture import ImageArray

App = Callable[[Any, Any, Any], npt.ArrayLike]


def render_with(
    app: App,
    img: npt.ArrayLike,
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    alpha: float = 0.6,
    show_flag: bool = False,
    wfp: PathLike | None = None,
    with_bg_flag: bool = True,
    *,
    n_threads: int = 1,
    lights: RenderPipeline | None = None,
) -> ImageArray:
    """Draw shaded faces over a picture, see `tddfa.drawing.render.render`.

    Parameters
    ----------
    app : callable
        Lights (`Sim3DR.lighting.RenderPipeline`), or what draws one mesh: vertices (N, 3) in
        pixels, triangles (M, 3) and a picture (H, W, 3), uint8, that it may draw into, to the
        picture with the mesh.
    img : array_like, shape (H, W, 3)
        BGR picture, uint8 or floats from 0 to 255.
    ver_lst, tri, alpha, show_flag, wfp, with_bg_flag, n_threads
        See there.
    lights : RenderPipeline, optional
        In place of `app`.

    Raises
    ------
    InputError
        As there, or if `app` returns something else than such a picture.
    """
    picture = as_picture(as_uint8(img))
    if lights is None and isinstance(app, RenderPipeline):
        lights = app
    if lights is not None:
        options = (alpha, show_flag, wfp, with_bg_flag)
        return _drawing.render(picture, ver_lst, tri, *options, n_threads=n_threads, lights=lights)
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha: expected 0 to 1, got {alpha}")
    out = canvas(picture, with_bg_flag, n_threads)
    for points, triangles in meshes(as_faces(ver_lst), tri):
        out = as_uint8(app(points, triangles, out))
        if out.shape != picture.shape:
            raise InputError(f"render_app: expected a picture {picture.shape}, got {out.shape}")
    if with_bg_flag:  # all of it: nobody knows where it has drawn
        out = np.asarray(cv2.addWeighted(picture, 1 - alpha, out, alpha, 0), np.uint8)
    return deliver(out, wfp, show_flag)
