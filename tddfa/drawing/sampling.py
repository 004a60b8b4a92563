"""The colors of a picture at scattered places, such as a mesh's vertices.

Pixel centers lie at integer coordinates; beyond the picture its border is repeated.
"""

import numpy as np
import numpy.typing as npt

from tddfa.drawing._sampling import bilinear, nearest
from tddfa.drawing.checks import FloatArray
from tddfa.picture import ImageArray


def _places(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    columns, rows = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)
    if columns.ndim != 1 or columns.shape != rows.shape:
        raise ValueError(f"x, y: expected the same length, got {columns.shape} and {rows.shape}")
    return columns, rows


def bilinear_colors(
    img: ImageArray,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    scale: float = 1.0,
    out: FloatArray | None = None,
) -> FloatArray:
    """Sample a picture between its pixels.

    Parameters
    ----------
    img : ndarray, shape (H, W, C), uint8
        Picture, not empty.
    x, y : array_like, shape (N,), float32
        Places in pixels; NaN counts as 0.
    scale : float
        Factor of the result; ``1 / 255`` gives colors in [0, 1].
    out : ndarray, shape (N, C), float32, optional
        Array for the result, of any strides.

    Returns
    -------
    ndarray, shape (N, C), float32

    Examples
    --------
    >>> ramp = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    >>> bilinear_colors(ramp, [0.5, 9.0], [0.5, 1.0])
    array([[ 4.5,  5.5,  6.5],
           [ 9. , 10. , 11. ]], dtype=float32)
    """
    columns, rows = _places(x, y)
    if out is None:
        out = np.empty((len(columns), img.shape[2]), np.float32)
    elif out.shape != (len(columns), img.shape[2]):
        raise ValueError(f"out: expected {(len(columns), img.shape[2])}, got {out.shape}")
    bilinear(np.ascontiguousarray(img, np.uint8), columns, rows, scale, out)
    return out


def nearest_colors(img: ImageArray, x: npt.ArrayLike, y: npt.ArrayLike) -> ImageArray:
    """Look up the pixel nearest to each place; half-way between two it is the even one.

    Parameters
    ----------
    img : ndarray, shape (H, W, C), uint8
        Picture, not empty.
    x, y : array_like, shape (N,), float32
        Places in pixels; NaN counts as 0.

    Returns
    -------
    ndarray, shape (N, C), uint8

    Examples
    --------
    >>> ramp = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    >>> nearest_colors(ramp, [0.4, -7.0], [0.6, 0.0])
    array([[6, 7, 8],
           [0, 1, 2]], dtype=uint8)
    """
    columns, rows = _places(x, y)
    out = np.empty((len(columns), img.shape[2]), np.uint8)
    nearest(np.ascontiguousarray(img, np.uint8), columns, rows, out)
    return out
