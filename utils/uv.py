"""The faces' texture, unrolled: what the picture shows at each vertex, drawn in UV space."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from Sim3DR import rasterize
from tddfa.errors import InputError
from utils.atomic import PathLike
from utils.checks import FloatArray, as_faces, as_picture, as_triangles, model_table
from utils.decode import ImageArray
from utils.show import deliver


def bilinear_colors(img: ImageArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Sample a picture between its pixels.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        Picture; pixel centers at integer coordinates.
    x, y : ndarrays, shape (N,), float32
        Places; beyond the picture its border is repeated, and NaN takes the first pixel.

    Returns
    -------
    ndarray, shape (N, 3), float32
        0 to 255.
    """
    height, width = img.shape[:2]
    x = np.clip(np.nan_to_num(x), -1, width)
    y = np.clip(np.nan_to_num(y), -1, height)
    left, top = np.floor(x), np.floor(y)
    wx, wy = (x - left)[:, None], (y - top)[:, None]
    columns, rows = left.astype(np.intp), top.astype(np.intp)
    x0, x1 = np.clip(columns, 0, width - 1), np.clip(columns + 1, 0, width - 1)
    y0, y1 = np.clip(rows, 0, height - 1), np.clip(rows + 1, 0, height - 1)
    upper = img[y0, x0] * (1 - wx) + img[y0, x1] * wx
    lower = img[y1, x0] * (1 - wx) + img[y1, x1] * wx
    return np.asarray(upper * (1 - wy) + lower * wy, np.float32)


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
        Show the result, see `utils.show.show_picture`.
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
    if uv_c != 3:
        raise InputError(f"uv_c: expected 3, got {uv_c}")
    if not (1 <= uv_h <= 16384 and 1 <= uv_w <= 16384):
        raise InputError(f"uv_h, uv_w: expected 1 to 16384, got {uv_h}, {uv_w}")
    maps = [np.zeros((uv_h, uv_w, 3), np.uint8) for _ in range(max(len(faces), 1))]
    for vertices, out in zip(faces, maps, strict=False):
        n_vertices = vertices.shape[1]
        triangles = as_triangles(tri, n_vertices)
        places = np.zeros((n_vertices, 3), np.float32)
        places[:, :2] = model_table(uv, tri, "uv", 2, n_vertices) * (uv_w - 1, uv_h - 1)
        places[:, 1] = uv_h - 1 - places[:, 1]
        colors = bilinear_colors(picture, vertices[0], vertices[1]) / 255
        rasterize(places, triangles, colors, bg=out, n_threads=n_threads)
    return deliver(np.concatenate(maps, axis=1), wfp, show_flag)
