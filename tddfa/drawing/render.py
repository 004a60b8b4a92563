"""The shaded mesh mixed over the picture."""

from collections.abc import Iterable

import numpy.typing as npt

from Sim3DR.lighting import RenderPipeline
from Sim3DR.rasterize import rasterize
from Sim3DR.threads import share
from tddfa.drawing.blend import blend
from tddfa.drawing.canvas import canvas, meshes
from tddfa.drawing.checks import as_faces, as_picture
from tddfa.drawing.show import deliver
from tddfa.errors import InputError
from tddfa.io.atomic import PathLike
from tddfa.picture import ImageArray


def render(
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
    """Draw shaded faces over a picture.

    Of faces that overlap, the later one covers the
    earlier one.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture; it is not changed.
    ver_lst : list of arrays, shape (3, N), float32
        Vertices of each face in pixels, y down, larger z nearer.
    tri : ndarray, shape (M, 3), int32
        Triangles, indices from 0.
    alpha : float
        Share of the shaded face, 0 to 1, in picture·(1 − alpha) + shaded·alpha.
    show_flag : bool
        Show the result, see `tddfa.drawing.show.show_picture`.
    wfp : path-like, optional
        File to write the result to.
    with_bg_flag : bool
        If false, the faces are drawn on black instead, without mixing.
    n_threads : int
        Threads of the rasterizer; the result does not depend on it.
    lights : RenderPipeline, optional
        What shades the faces; by default white light from the viewer, see
        `Sim3DR.lighting.RenderPipeline`.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR picture; equal to `img` where there is no face.

    Raises
    ------
    InputError
        If an array has a wrong shape, `alpha` is out of range or the file cannot be written.
    """
    picture = as_picture(img)
    faces = as_faces(ver_lst)
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha: expected 0 to 1, got {alpha}")
    out = canvas(picture, with_bg_flag, n_threads)
    pipeline = lights or RenderPipeline()
    drawn = list(meshes(faces, tri))
    shades = share(pipeline.shade, drawn, n_threads)
    for (points, triangles), light in zip(drawn, shades, strict=True):
        rasterize(points, triangles, light, out, n_threads=n_threads)
    if with_bg_flag:
        blend(picture, out, alpha, faces)
    return deliver(out, wfp, show_flag)
