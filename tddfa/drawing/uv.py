"""The faces' texture, unrolled: what the picture shows at each vertex, drawn in UV space."""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from Sim3DR.rasterize import rasterize
from Sim3DR.threads import share
from tddfa.drawing.checks import FloatArray, as_faces, as_picture, as_triangles, model_table
from tddfa.drawing.sampling import bilinear_colors
from tddfa.drawing.show import deliver
from tddfa.errors import InputError
from tddfa.io.atomic import PathLike
from tddfa.picture import ImageArray

# Bounds the memory: three channels per face.
_FACES_PER_PASS = 8


def uv_tex(
    img: npt.ArrayLike,
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    uv_h: int = 256,
    uv_w: int = 256,
    uv_c: int = 3,
    show_flag: bool = False,
    wfp: PathLike | None = None,
    uv: npt.ArrayLike | None = None,
    *,
    n_threads: int = 1,
) -> ImageArray:
    """Unroll each face's texture onto a map of its own.

    ::

        v = 1  +-------+-------+   row 0
               | face  | face  |
               |   1   |   2   |
        v = 0  +-------+-------+   row uv_h - 1
             u = 0    1 0     1

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    ver_lst : list of n arrays, shape (3, N), float32
        Vertices of each face in pixels, y down.
    tri : ndarray, shape (M, 3), int32
        Triangles, indices from 0.
    uv_h, uv_w : int
        Size of one map in pixels.
    uv_c : int
        Channels; always 3, the argument is there for code written for the reference.
    show_flag : bool
        Show the result, see `tddfa.drawing.show.show_picture`.
    wfp : path-like, optional
        File to write the result to.
    uv : array_like, shape (N, 2), optional
        Texture coordinates in [0, 1], v up; ``tri.uv`` if left out.
    n_threads : int
        Threads of the rasterizer; the result does not depend on it.

    Returns
    -------
    ndarray, shape (uv_h, n·uv_w, 3), uint8
        BGR maps side by side on black; n = 0 gives one black map.

    Raises
    ------
    InputError
        If there are no texture coordinates, an array has a wrong shape or the file cannot be
        written.
    """
    picture = as_picture(img)
    faces = as_faces(ver_lst)
    if len({face.shape for face in faces}) > 1:
        raise InputError("ver_lst: expected faces of the same number of vertices")
    if uv_c != 3:
        raise InputError(f"uv_c: expected 3, got {uv_c}")
    if not (1 <= uv_h <= 16384 and 1 <= uv_w <= 16384):
        raise InputError(f"uv_h, uv_w: expected 1 to 16384, got {uv_h}, {uv_w}")
    maps = np.zeros((uv_h, max(len(faces), 1) * uv_w, 3), np.uint8)
    for start in range(0, len(faces), _FACES_PER_PASS):
        group = faces[start : start + _FACES_PER_PASS]
        n_vertices = group[0].shape[1]
        triangles = as_triangles(tri, n_vertices)
        places = np.zeros((n_vertices, 3), np.float32)
        table = model_table(uv, tri, "uv", 2, n_vertices)
        np.multiply(table, np.array([uv_w - 1, uv_h - 1], np.float32), out=places[:, :2])
        places[:, 1] = uv_h - 1 - places[:, 1]
        # The faces differ in color alone: drawn at once, as channels of one picture.
        colors = _colors(picture, group, n_threads)
        drawn = rasterize(places, triangles, colors, height=uv_h, width=uv_w, n_threads=n_threads)
        for k in range(len(group)):  # OpenCV takes a third of the time of NumPy for whole pixels
            left = (start + k) * uv_w
            channels = [3 * k, 0, 3 * k + 1, 1, 3 * k + 2, 2]
            cv2.mixChannels([drawn], [maps[:, left : left + uv_w]], channels)
    return deliver(maps, wfp, show_flag)


def _colors(picture: ImageArray, faces: list[FloatArray], n_threads: int) -> FloatArray:
    """Sample the picture at each face's vertices: (N, 3n) in [0, 1], three columns per face.

    Black columns fill it up to a multiple of four, which the rasterizer does in vectors.
    """
    n_columns = 3 * len(faces)
    colors = np.zeros(
        (faces[0].shape[1], -(-n_columns // 4) * 4 if n_columns > 3 else 3), np.float32
    )

    def sample(k: int) -> None:
        x, y = faces[k][:2]
        bilinear_colors(picture, x, y, 1 / 255, out=colors[:, 3 * k : 3 * k + 3])

    share(sample, [(k,) for k in range(len(faces))], n_threads)
    return colors
