"""The projected normalized coordinate code (PNCC)."""

from collections.abc import Iterable

import numpy.typing as npt

from Sim3DR.rasterize import rasterize
from tddfa.drawing.canvas import canvas, meshes
from tddfa.drawing.checks import FloatArray, as_faces, as_picture, model_table
from tddfa.drawing.show import deliver
from tddfa.io.atomic import PathLike
from tddfa.picture import ImageArray


def pncc(
    img: npt.ArrayLike,
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    show_flag: bool = False,
    wfp: PathLike | None = None,
    with_bg_flag: bool = True,
    ncc_code: npt.ArrayLike | None = None,
    *,
    n_threads: int = 1,
) -> ImageArray:
    """Draw faces in the color of their place on the mean face.

    The code of a vertex is its position in the mean shape, scaled to [0, 1] along each axis, taken
    as blue (x), green (y) and red (z); Zhu et al., "Face Alignment Across Large Poses: A 3D
    Solution", CVPR 2016, section 3.2. Of faces that overlap, the later one covers the earlier one.

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
    ncc_code : array_like, shape (3, N), optional
        Code of each vertex in [0, 1]; ``tri.ncc_code`` if left out.
    n_threads : int
        Threads of the rasterizer; the result does not depend on it.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR picture.

    Raises
    ------
    InputError
        If there is no code, an array has a wrong shape or the file cannot be written.
    """
    picture = as_picture(img)
    faces = as_faces(ver_lst)
    out = canvas(picture, with_bg_flag, n_threads)
    codes: dict[int, FloatArray] = {}
    for points, triangles in meshes(faces, tri):
        n_vertices = len(points)
        if n_vertices not in codes:
            codes[n_vertices] = model_table(ncc_code, tri, "ncc_code", 3, n_vertices)
        rasterize(points, triangles, codes[n_vertices], bg=out, n_threads=n_threads)
    return deliver(out, wfp, show_flag)
