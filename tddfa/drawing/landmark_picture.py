"""Helpers under the names that users of the reference know."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.drawing.blend import blend
from tddfa.drawing.checks import FloatArray, as_picture
from tddfa.drawing.landmarks import DARK, DENSE, Color, draw_dots, draw_joined, face_size
from tddfa.drawing.show import deliver, show_picture
from tddfa.errors import InputError
from tddfa.io.atomic import PathLike
from tddfa.picture import ImageArray
from tddfa.roi import crop_img, parse_roi_box_from_bbox, parse_roi_box_from_landmark

__all__ = [
    "crop_img",
    "cv_draw_landmark",
    "draw_landmarks",
    "get_suffix",
    "parse_roi_box_from_bbox",
    "parse_roi_box_from_landmark",
    "plot_image",
]

GREEN: Color = (0, 255, 0)
# Of a dense mesh every sixth vertex is drawn.
DENSE_STEP = 6
DENSE_ALPHA = 0.8
# Pixels; on smaller faces the dots lie so close that dark rims would hide the face.
DENSE_RIM_FROM = 700


def get_suffix(filename: PathLike) -> str:
    """Return the extension of a file name with its dot, or an empty string.

    Examples
    --------
    >>> get_suffix("examples/inputs/emma.jpg"), get_suffix("no.dots/here")
    ('.jpg', '')
    """
    return Path(filename).suffix


def _as_points(pts: Any) -> list[FloatArray]:
    faces = [pts] if isinstance(pts, np.ndarray) and pts.ndim == 2 else pts
    points = [np.asarray(face, np.float32) for face in faces]
    for face in points:
        if face.ndim != 2 or face.shape[0] not in (2, 3):
            raise InputError(f"pts: expected arrays of shape (2|3, N), got {face.shape}")
    return points


def _draw_dense(
    picture: ImageArray, img: ImageArray, faces: list[FloatArray], color: Color
) -> None:
    """Draw every sixth point as a dot into `img`, a copy of `picture` that shows through."""
    largest = 0
    for points in faces:
        dots = points[:, np.isfinite(points).all(axis=0)][:, ::DENSE_STEP]
        size = face_size(dots, img)
        radius = round(size / 400)
        if size >= DENSE_RIM_FROM:
            draw_dots(img, dots, radius + 1, DARK)
        draw_dots(img, dots, radius, color)
        largest = max(largest, radius + 1)
    blend(picture, img, DENSE_ALPHA, faces, margin=largest)


def draw_landmarks(
    img: npt.ArrayLike,
    pts: Iterable[npt.ArrayLike],
    style: str = "fancy",
    wfp: PathLike | None = None,
    show_flag: bool | None = None,
    dense_flag: bool = False,
    **kwargs: Any,
) -> ImageArray:
    """Draw the landmarks of faces over a picture.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture; it is not changed.
    pts : list of arrays, shape (3, 68) or (3, N) or the same with two rows
        Landmarks of each face in pixels.
    style : {'fancy', 'simple'}
        Points joined by part, or dots alone.
    wfp : path-like, optional
        File to write the result to.
    show_flag : bool, optional
        Show the result, see `tddfa.drawing.show.show_picture`. By default it is shown in a
        notebook, unless it goes to a file, and nowhere else.
    dense_flag : bool
        Draw every sixth point as a dot, without lines.
    **kwargs
        ``color``: BGR of the dots of a dense mesh. Others, which code written for the reference
        may pass, are ignored.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR picture.

    Raises
    ------
    InputError
        If an array has a wrong shape, the style is unknown or the file cannot be written.
    """
    picture = as_picture(img)
    out = picture.copy()
    if style not in ("fancy", "simple"):
        raise InputError(f"style: expected 'fancy' or 'simple', got {style!r}")
    faces = _as_points(pts)
    if dense_flag:
        _draw_dense(picture, out, faces, kwargs.get("color", DENSE))
    else:
        for points in faces:
            draw_joined(out, points, lines=style == "fancy")
    return deliver(out, wfp, show_flag)


def cv_draw_landmark(
    img: npt.ArrayLike,
    pts: npt.ArrayLike,
    box: npt.ArrayLike | None = None,
    color: Color = GREEN,
    size: int = 1,
) -> ImageArray:
    """Return a copy of the picture with points, and a box, in plain dots and lines.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    pts : array_like, shape (2|3, N)
        Points in pixels.
    box : array_like, shape (4,) or more, optional
        ``[xmin, ymin, xmax, ymax]`` in pixels.
    color : (int, int, int)
        BGR.
    size : int
        Radius of the dots in pixels.
    """
    out = as_picture(img).copy()
    for points in _as_points(np.asarray(pts, np.float32)):
        draw_dots(out, points, max(0, size), color)
    if box is not None:
        edges = np.clip(np.asarray(box, np.float64).ravel()[:4], -(2.0**20), 2.0**20)
        left, top, right, bottom = np.rint(edges).astype(int).tolist()
        cv2.rectangle(out, (left, top), (right, bottom), color, max(1, size), cv2.LINE_AA)
    return out


def plot_image(img: npt.ArrayLike) -> None:
    """Show a BGR picture, see `tddfa.drawing.show.show_picture`."""
    show_picture(as_picture(img))
