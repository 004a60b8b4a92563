"""The reference's module of this name; new code has `Sim3DR.rasterize` and `Sim3DR.normals`."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .normals import get_normal
from .rasterize import rasterize as _rasterize

__all__ = ["get_normal", "rasterize"]


def rasterize(
    vertices: ArrayLike,
    triangles: ArrayLike,
    colors: ArrayLike,
    bg: NDArray[Any] | None = None,
    height: int | None = None,
    width: int | None = None,
    channel: int | None = None,
    reverse: bool = False,
    *,
    n_threads: int = 1,
) -> NDArray[Any]:
    """Draw a mesh into a picture, which may hold floats from 0 to 255.

    As `Sim3DR.rasterize.rasterize`, but a `bg` of another type than uint8 is allowed: what is drawn
    are whole numbers, 0 to 255, and the other pixels keep their values.

    Parameters
    ----------
    vertices, triangles, colors, reverse, n_threads
        See `Sim3DR.rasterize.rasterize`.
    height, width, channel
        See there; not looked at where there is a `bg`, which has a size of its own.
    bg : (H, W, C) or (H, W) array, optional
        The picture to draw into. **It is changed in place** and returned.

    Returns
    -------
    (H, W, C) or (H, W) array
        `bg`, or a new picture of uint8.
    """
    size = (height, width, channel, reverse) if bg is None else (None, None, None, reverse)
    if not isinstance(bg, np.ndarray) or bg.dtype == np.uint8 or bg.dtype.kind not in "fiu":
        return _rasterize(vertices, triangles, colors, bg, *size, n_threads=n_threads)
    drawn = np.zeros(bg.shape, np.uint8)
    covered = np.zeros((*bg.shape[:2], 1), np.uint8)
    points = np.asarray(vertices)
    _rasterize(points, triangles, colors, drawn, *size, n_threads=n_threads)
    white = np.ones((len(points), 1), np.float32)
    _rasterize(points, triangles, white, covered, reverse=reverse, n_threads=n_threads)
    inside = covered[..., 0] > 0
    bg[inside] = drawn[inside]
    return bg
