"""The faces' texture, unrolled, and the helpers that belong to it.

`g_uv_coords` (N, 2) and `indices` (N,) are those of the face model that ships, read when first
asked for; another model has its own as ``tddfa.tri.uv``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.compat.pictures import as_uint8
from tddfa.compat.tables import with_tables
from tddfa.drawing import uv as _drawing
from tddfa.drawing.checks import as_faces
from tddfa.drawing.sampling import bilinear_colors
from tddfa.io.decode import ImageArray
from tddfa.known_tables import shipped_table
from tddfa.mat_file import load_matrix
from tddfa.params import FloatArray


def uv_tex(
    img: npt.ArrayLike, ver_lst: Iterable[npt.ArrayLike], tri: npt.ArrayLike, *args: Any, **kws: Any
) -> ImageArray:
    """Unroll textures, see `tddfa.drawing.uv.uv_tex`; `img` may hold floats, 0 to 255.

    The coordinates of triangles that are not known are those of a face model with as many vertices.
    """
    faces = as_faces(ver_lst)
    return _drawing.uv_tex(as_uint8(img), faces, with_tables(tri, faces), *args, **kws)


def load_uv_coords(fp: str | Path) -> FloatArray:
    """Return the texture coordinates (K, 2) in a ``.mat`` file with the key UV.

    Raises
    ------
    InputError
        If the file is missing or no such file.
    """
    return np.array(load_matrix(fp, "UV"), np.float32, order="C")


def process_uv(uv_coords: npt.ArrayLike, uv_h: int = 256, uv_w: int = 256) -> FloatArray:
    """Return the places of texture coordinates on a map, (N, 3): column, row and z = 0.

    Parameters
    ----------
    uv_coords : array_like, shape (N, 2)
        Coordinates in [0, 1], v up; not changed.
    uv_h, uv_w : int
        Size of the map in pixels.
    """
    coordinates = np.asarray(uv_coords, np.float32)
    places = np.zeros((len(coordinates), 3), np.float32)
    places[:, 0] = coordinates[:, 0] * (uv_w - 1)
    places[:, 1] = uv_h - 1 - coordinates[:, 1] * (uv_h - 1)
    return places


def bilinear_interpolate(img: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
    """Return the colors of a picture between its pixels; beyond it the border is repeated.

    Parameters
    ----------
    img : array_like, shape (H, W) or (H, W, C)
        Picture of any type.
    x, y : array_like, shape (N,)
        Columns and rows.

    Returns
    -------
    ndarray, shape (N,) or (N, C), float32
        In the unit of `img`.
    """
    picture = np.asarray(img)
    columns, rows = np.ravel(x), np.ravel(y)
    if picture.dtype == np.uint8 and picture.ndim == 3:
        return bilinear_colors(picture, columns, rows)
    from scipy.ndimage import map_coordinates  # takes a while to import, and is seldom needed

    planes = picture.reshape(*picture.shape[:2], -1).astype(np.float32)
    places = np.stack([rows, columns]).astype(np.float64)
    colors = [
        map_coordinates(planes[..., k], places, order=1, mode="nearest")
        for k in range(planes.shape[2])
    ]
    out = np.stack(colors, axis=-1).astype(np.float32)
    return out if picture.ndim == 3 else out[:, 0]


def get_colors(img: npt.ArrayLike, ver: npt.ArrayLike) -> FloatArray:
    """Return the colors (N, C) of a picture at vertices (2|3, N), between its pixels."""
    places = np.asarray(ver, np.float32)
    return bilinear_interpolate(img, places[0], places[1])


def __getattr__(name: str) -> Any:
    """Give the tables of the face model that ships, once they are asked for."""
    if name == "g_uv_coords":
        return np.array(shipped_table("uv"))
    if name == "indices":
        return np.arange(len(shipped_table("uv")))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
