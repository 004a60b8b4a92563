"""Meshes as PLY and OBJ files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.compat.pictures import as_uint8
from tddfa.drawing.sampling import nearest_colors
from tddfa.export import serialization as _export
from tddfa.export.serialization import ser_to_ply
from tddfa.io.atomic import PathLike
from tddfa.params import FloatArray

__all__ = [
    "get_colors",
    "ser_to_obj",
    "ser_to_obj_multiple",
    "ser_to_obj_single",
    "ser_to_ply",
    "ser_to_ply_multiple",
    "ser_to_ply_single",
]


def ser_to_obj(
    img: npt.ArrayLike,
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    height: int,
    wfp: PathLike,
    **kws: Any,
) -> None:
    """Write all faces into one OBJ file, see `tddfa.export.serialization.ser_to_obj`.

    `img` may hold floats from 0 to 255.
    """
    _export.ser_to_obj(as_uint8(img), ver_lst, tri, height, wfp, **kws)


ser_to_ply_multiple = ser_to_ply
ser_to_obj_multiple = ser_to_obj


def ser_to_ply_single(
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    height: int,
    wfp: PathLike,
    reverse: bool = True,
) -> None:
    """Write each face into a PLY file of its own: for ``a.ply`` ``a_1.ply``, ``a_2.ply``, …."""
    for number, ver in enumerate(ver_lst, start=1):
        ser_to_ply([ver], tri, height, _numbered(wfp, number), reverse)


def ser_to_obj_single(
    img: npt.ArrayLike,
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    height: int,
    wfp: PathLike,
) -> None:
    """Write each face into an OBJ file of its own: for ``a.obj`` ``a_1.obj``, ``a_2.obj``, …."""
    for number, ver in enumerate(ver_lst, start=1):
        ser_to_obj(img, [ver], tri, height, _numbered(wfp, number))


def get_colors(img: npt.ArrayLike, ver: npt.ArrayLike) -> FloatArray:
    """Return the color of the pixel nearest to each vertex.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3)
        BGR picture.
    ver : array_like, shape (2|3, N)
        Vertices in pixels.

    Returns
    -------
    ndarray, shape (N, 3), float32
        BGR in [0, 1].
    """
    places = np.asarray(ver, np.float32)
    colors = nearest_colors(as_uint8(img), places[0], places[1])
    return colors.astype(np.float32) / np.float32(255)


def _numbered(wfp: PathLike, number: int) -> Path:
    path = Path(wfp)
    return path.with_name(f"{path.stem}_{number}{path.suffix}")
