"""Draw triangle meshes with a z-buffer.

Pixel centers lie at integer coordinates, x to the right, y down, larger z nearer. A triangle owns
the centers p = p0 + u (p2 - p0) + v (p1 - p0) with u >= 0, v >= 0 and u + v < 1::

    p0 --- v --- p1     The edges p0-p1 and p0-p2 are its own, the edge p1-p2 is not.
     |         /        Either winding is drawn. Of several triangles at a pixel the nearest wins,
     u      /           of equally near ones the first.
     |   /
    p2

The tests are made in float64, which decides them exactly for usual pictures; the reference makes
them in float32, so that its pixels differ where triangles are thin.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import LONGEST, FloatArray, IntArray, as_colors, as_mesh, check_length
from ._rasterize import (
    MARGIN,
    ROW_MARGIN,
    draw_colors,
    draw_fragments,
    find_reach,
    instruction_sets,
)
from .threads import share

EMPTY_DEPTH = np.float32(-1e8)
"""Depth of a pixel that no triangle covers; nothing farther than this is drawn."""


@dataclass(frozen=True)
class Fragments:
    """The nearest triangle at each pixel.

    Attributes
    ----------
    triangle : (H, W) int32
        Row in ``triangles``, or -1 where there is none.
    weights : (H, W, 3) float32
        Barycentric weights of that triangle's three vertices, in their order; 0 where there is
        none. For a value per vertex, ``(weights[..., None] * value[triangles[triangle]]).sum(2)``
        is its picture where ``triangle >= 0``.
    depth : (H, W) float32
        z, larger is nearer; `EMPTY_DEPTH` where there is none.
    """

    triangle: IntArray
    weights: FloatArray
    depth: FloatArray


def rasterize(
    vertices: ArrayLike,
    triangles: ArrayLike,
    colors: ArrayLike,
    bg: NDArray[np.uint8] | None = None,
    height: int | None = None,
    width: int | None = None,
    channel: int | None = None,
    reverse: bool = False,
    *,
    n_threads: int = 1,
) -> NDArray[np.uint8]:
    """Draw a mesh whose colors are interpolated between its vertices.

    Parameters
    ----------
    vertices : (N, 3) array
        x, y in pixels, y down; larger z is nearer. Computed from float32. A triangle with a
        coordinate that is not finite, or without area, is left out.
    triangles : (M, 3) array of integers
        Vertex indices, 0-based.
    colors : (N, C) or (N,) array of floats
        In [0, 1], in the order of the picture's channels; values beyond are clipped, NaN is 0.
        A single channel is drawn into all channels of the picture.
    bg : (H, W, C) or (H, W) uint8 array, optional
        The picture to draw into. **It is changed in place** and returned; pass a copy to keep it.
    height, width : int, optional
        Size of the picture; needed if there is no `bg`, which is then black.
    channel : int, optional
        Its number of channels; that of `colors` by default.
    reverse : bool
        Turn the drawing upside down: row y is drawn into row ``H - 1 - y``. `bg` is not turned.
    n_threads : int
        Threads that share the rows; the result does not depend on it.

    Returns
    -------
    (H, W, C) or (H, W) uint8 array
        `bg`, or the new picture. A covered pixel is ``trunc(255 * color)``.

    Raises
    ------
    TypeError, ValueError
        If a type, a shape, a size or a vertex index is wrong; the message names the parameter.

    Examples
    --------
    >>> triangle = [[0, 0, 0], [0, 3, 0], [3, 0, 0]]
    >>> rasterize(triangle, [[0, 1, 2]], [1.0, 1.0, 1.0], height=3, width=4)[..., 0]
    array([[255, 255, 255,   0],
           [255, 255,   0,   0],
           [255,   0,   0,   0]], dtype=uint8)
    """
    points, faces = as_mesh(vertices, triangles)
    shades = as_colors("colors", colors, len(points))
    threads = _count("n_threads", n_threads, 1)
    if bg is None:
        bg = _blank(height, width, shades.shape[1] if channel is None else channel)
    else:
        _check_background(bg, height, width, channel)
    channels = bg.shape[2] if bg.ndim == 3 else 1
    if shades.shape[1] not in (1, channels):
        raise ValueError(
            f"colors: expected 1 or {channels} channels as in the picture, got {shades.shape[1]}"
        )

    image = np.ascontiguousarray(bg).reshape(*bg.shape[:2], channels)
    reach, (left, top, right, bottom) = _reach(points, *image.shape[:2])
    if len(faces) and left < right and top < bottom:
        variant = instruction_sets() - 1

        def draw_rows(first: int, end: int) -> None:
            buffers = _buffers(end - first, right - left)
            draw_colors(
                image, *buffers, points, reach, faces, shades, left, first, reverse, variant
            )

        _in_bands(draw_rows, points, top, bottom, threads)
        if not bg.flags.c_contiguous:
            bg[...] = image.reshape(bg.shape)
    return bg


def rasterize_triangles(
    vertices: ArrayLike,
    triangles: ArrayLike,
    height: int,
    width: int,
    *,
    n_threads: int = 1,
) -> Fragments:
    """Find the nearest triangle of each pixel, for sampling textures and finding hidden surfaces.

    Parameters
    ----------
    vertices, triangles, n_threads
        As for `rasterize`, with the same rule of what is covered.
    height, width : int
        Size of the picture.

    Returns
    -------
    Fragments
        Triangle, barycentric weights and depth of every pixel.

    Raises
    ------
    TypeError, ValueError
        If a type, a shape, a size or a vertex index is wrong; the message names the parameter.

    Examples
    --------
    >>> triangle = [[0, 0, 5], [0, 2, 5], [2, 0, 7]]
    >>> found = rasterize_triangles(triangle, [[0, 1, 2]], height=2, width=3)
    >>> found.triangle
    array([[ 0,  0, -1],
           [ 0, -1, -1]], dtype=int32)
    >>> found.weights[0, 1], found.depth[0, 1]
    (array([0.5, 0. , 0.5], dtype=float32), np.float32(6.0))
    """
    points, faces = as_mesh(vertices, triangles)
    threads = _count("n_threads", n_threads, 1)
    shape = (_count("height", height), _count("width", width))
    found = Fragments(
        triangle=np.full(shape, -1, dtype=np.int32),
        weights=np.zeros((*shape, 3), dtype=np.float32),  # pages not drawn on cost nothing
        depth=np.full(shape, EMPTY_DEPTH, dtype=np.float32),
    )
    reach, (left, top, right, bottom) = _reach(points, *shape)
    if len(faces) and left < right and top < bottom:
        variant = instruction_sets() - 1
        outputs = found.triangle, found.weights, found.depth

        def find_rows(first: int, end: int) -> None:
            buffers = _buffers(end - first, right - left)
            draw_fragments(*outputs, *buffers, points, reach, faces, left, first, variant)

        _in_bands(find_rows, points, top, bottom, threads)
    return found


def _in_bands(
    draw_rows: Callable[[int, int], None],
    points: FloatArray,
    top: int,
    bottom: int,
    n_threads: int,
) -> None:
    """Call ``draw_rows(first, end)`` for bands of the rows top..bottom, one thread each.

    Bands hold as many vertices each, not rows: a face has most of its triangles in its middle.
    """
    if n_threads == 1 or bottom - top == 1:
        draw_rows(top, bottom)
        return
    sample = points[:: max(1, len(points) // 4096), 1]
    rows = np.sort(sample[(sample >= top) & (sample < bottom)])  # NaN is neither
    if rows.size < n_threads:
        rows = np.linspace(top, bottom, n_threads, endpoint=False, dtype=np.float32)
    inner = (int(np.ceil(rows[len(rows) * i // n_threads])) for i in range(1, n_threads))
    bands = [band for band in pairwise([top, *inner, bottom]) if band[0] < band[1]]
    share(draw_rows, bands, n_threads)


def _reach(
    points: FloatArray, height: int, width: int
) -> tuple[FloatArray, tuple[int, int, int, int]]:
    """Return what each vertex reaches, for the kernels, and the box that all of them do."""
    reach = np.empty((len(points), 4), np.float32)
    return reach, find_reach(points, reach, height, width) if len(points) else (0, 0, 0, 0)


def _buffers(height: int, width: int) -> tuple[FloatArray, NDArray[np.uint32]]:
    """Return a band's z-buffer and what is drawn on it, not filled yet."""
    shape = height + ROW_MARGIN, width + MARGIN
    return np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.uint32)


def _count(name: str, value: int, least: int = 0) -> int:
    if not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: expected an integer, got {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name}: expected at least {least}, got {value}")
    check_length(name, value)
    return int(value)


def _blank(height: int | None, width: int | None, channel: int) -> NDArray[np.uint8]:
    if height is None or width is None:
        raise ValueError("height, width: needed where bg is not given")
    shape = (_count("height", height), _count("width", width), _count("channel", channel, 1))
    return np.zeros(shape, dtype=np.uint8)


def _check_background(
    bg: NDArray[np.uint8], height: int | None, width: int | None, channel: int | None
) -> None:
    if not isinstance(bg, np.ndarray):
        raise TypeError(f"bg: expected a NumPy array, got {type(bg).__name__}")
    if bg.dtype != np.uint8:
        raise TypeError(f"bg: expected uint8, got {bg.dtype}")
    if bg.ndim not in (2, 3) or (bg.ndim == 3 and bg.shape[2] < 1):
        raise ValueError(f"bg: expected shape (H, W, C) or (H, W), got {bg.shape}")
    if not bg.flags.writeable:
        raise ValueError("bg: is read-only, but is drawn into; pass a copy")
    if max(bg.shape[:2]) > LONGEST:
        raise ValueError(f"bg: expected sides of at most {LONGEST}, got {bg.shape}")
    actual = (*bg.shape[:2], bg.shape[2] if bg.ndim == 3 else 1)
    for name, wanted, size in zip(
        ("height", "width", "channel"), (height, width, channel), actual, strict=True
    ):
        if wanted is not None and wanted != size:
            raise ValueError(f"{name}: {wanted} does not fit bg, which has {size}")
