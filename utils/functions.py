"""Boxes, crops and drawings of landmarks."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.compat.figures import is_figure, write_figure
from tddfa.compat.pictures import as_uint8
from tddfa.drawing import landmark_picture as _drawing
from tddfa.drawing.landmark_picture import GREEN, get_suffix
from tddfa.drawing.landmarks import DOT, Color, face_size
from tddfa.drawing.show import deliver
from tddfa.errors import InputError
from tddfa.ibug68 import N_LANDMARKS
from tddfa.io.atomic import PathLike
from tddfa.io.decode import ImageArray
from tddfa.roi import parse_roi_box_from_bbox, parse_roi_box_from_landmark

__all__ = [
    "BLUE",
    "GREEN",
    "RED",
    "calc_hypotenuse",
    "crop_img",
    "cv_draw_landmark",
    "draw_landmarks",
    "get_suffix",
    "parse_roi_box_from_bbox",
    "parse_roi_box_from_landmark",
    "plot_image",
]

# BGR
RED: Color = (0, 0, 255)
BLUE: Color = (255, 0, 0)
# Radius of a dot: this part of the face, as of each of 68 landmarks.
_DOTS_ACROSS = 95


def calc_hypotenuse(pts: npt.ArrayLike) -> float:
    """Return a third of the diagonal of the square around points (2|3, N): the pose box's size."""
    left, _, right, _ = parse_roi_box_from_landmark(pts)
    return (right - left) / 3


def crop_img(img: npt.ArrayLike, roi_box: npt.ArrayLike) -> ImageArray:
    """Cut out a ROI, see `tddfa.roi.crop_img`; of floats from 0 to 255 it is uint8 as well."""
    return _drawing.crop_img(as_uint8(img), roi_box)


def draw_landmarks(
    img: npt.ArrayLike,
    pts: Iterable[npt.ArrayLike],
    style: str = "fancy",
    wfp: PathLike | None = None,
    show_flag: bool | None = None,
    **kwargs: Any,
) -> ImageArray:
    """Draw the landmarks of faces, see `tddfa.drawing.landmark_picture.draw_landmarks`.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3)
        BGR picture, uint8 or floats from 0 to 255; not changed.
    pts, show_flag
        See there.
    style : {'fancy', 'simple'}
        See there; ``'simple'`` draws dots for other numbers of points than 68, too.
    wfp : path-like, optional
        File to write: a picture, or ``.pdf``, ``.svg``, ``.eps``, ``.ps``.
    **kwargs
        ``dense_flag``; ``color``: a color of Matplotlib's (``'c'``, ``'#ff8800'``, numbers in [0,
        1]) or BGR in 0 to 255. Others have no effect.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        BGR picture.
    """
    if "color" in kwargs:
        kwargs["color"] = _bgr(kwargs["color"])
    faces: list[Any] = [pts] if isinstance(pts, np.ndarray) and pts.ndim == 2 else list(pts)
    others = []
    if style == "simple" and not kwargs.get("dense_flag"):
        others = [face for face in faces if np.shape(face)[-1:] != (N_LANDMARKS,)]
        faces = [face for face in faces if np.shape(face)[-1:] == (N_LANDMARKS,)]
    out = _drawing.draw_landmarks(as_uint8(img), faces, style, None, False, **kwargs)
    for face in others:
        out = _draw_dots(out, face)
    if wfp is not None and is_figure(wfp):
        write_figure(wfp, out)
        wfp, show_flag = None, bool(show_flag)  # None would show in a notebook what was written
    return deliver(out, wfp, show_flag)


def _draw_dots(img: ImageArray, pts: npt.ArrayLike) -> ImageArray:
    """Return a copy of a picture with a dot on each point, as large as the face asks for."""
    points = np.asarray(pts, np.float32)
    if points.ndim != 2 or points.shape[0] not in (2, 3):
        raise InputError(f"pts: expected arrays of shape (2|3, N), got {points.shape}")
    points = points[:, np.isfinite(points[:2]).all(axis=0)]
    radius = round(face_size(points, img) / _DOTS_ACROSS)
    return _drawing.cv_draw_landmark(img, points, color=DOT, size=radius)


def cv_draw_landmark(
    img_ori: npt.ArrayLike,
    pts: npt.ArrayLike,
    box: npt.ArrayLike | None = None,
    color: Color = GREEN,
    size: int = 1,
) -> ImageArray:
    """Return a copy of a picture with points and a box, see `tddfa.drawing.landmark_picture`."""
    return _drawing.cv_draw_landmark(as_uint8(img_ori), pts, box, color, size)


def plot_image(img: npt.ArrayLike) -> None:
    """Show a BGR picture."""
    _drawing.plot_image(as_uint8(img))


def _bgr(color: Any) -> Color:
    """Return one of Matplotlib's colors as BGR, 0 to 255; BGR above 1 as it is."""
    if not isinstance(color, str):
        numbers = np.ravel(color)
        if numbers.max(initial=0) > 1:
            blue, green, red = (int(value) for value in numbers[:3])
            return blue, green, red
        color = tuple(numbers.tolist())
    from matplotlib.colors import to_rgb  # slow to load, and seldom needed

    red, green, blue = (round(255 * value) for value in to_rgb(color))
    return blue, green, red
