"""The faces' depth as gray."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from Sim3DR.rasterize import rasterize
from tddfa.drawing.canvas import canvas, meshes
from tddfa.drawing.checks import FloatArray, as_faces, as_picture
from tddfa.drawing.show import deliver
from tddfa.io.atomic import PathLike
from tddfa.picture import ImageArray


def scaled_depth(vertices: FloatArray) -> FloatArray:
    """Return (z − min)/(max − min) of a face's vertices (3, N): 1 is nearest; 0 if all are equal.

    Vertices that are not finite do not count.
    """
    z = vertices[2]
    finite = z[np.isfinite(z)]
    span = finite.max() - finite.min() if finite.size else np.float32(0)
    return (z - finite.min()) / span if span > 0 else np.zeros_like(z)


def depth(
    img: npt.ArrayLike,
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    show_flag: bool = False,
    wfp: PathLike | None = None,
    with_bg_flag: bool = True,
    *,
    n_threads: int = 1,
) -> ImageArray:
    """Draw each face's depth over a picture.

    White is that face's nearest point, black its farthest. Of faces that overlap, the later
    one covers the earlier one.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture; it is not changed.
    ver_lst : list of arrays, shape (3, N), float32
        Vertices of each face in pixels, y down, larger z nearer.
    tri : ndarray, shape (M, 3), int32
        Triangles, indices from 0.
    show_flag : bool
        Show the result, see `tddfa.drawing.show.show_picture`.
    wfp : path-like, optional
        File to write the result to.
    with_bg_flag : bool
        If false, draw on black instead of the picture.
    n_threads : int
        Threads of the rasterizer; the result does not depend on it.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR picture.

    Raises
    ------
    InputError
        If an array has a wrong shape or the file cannot be written.
    """
    picture = as_picture(img)
    faces = as_faces(ver_lst)
    out = canvas(picture, with_bg_flag, n_threads)
    for vertices, (points, triangles) in zip(faces, meshes(faces, tri), strict=True):
        rasterize(points, triangles, scaled_depth(vertices), bg=out, n_threads=n_threads)
    return deliver(out, wfp, show_flag)
