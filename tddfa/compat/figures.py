"""Pictures as pages: PDF, SVG and PostScript, by Matplotlib."""

import io
from pathlib import Path

from tddfa.io.atomic import PathLike, atomic_write
from tddfa.io.decode import ImageArray

_FORMATS = {".pdf", ".svg", ".svgz", ".eps", ".ps"}
_DPI = 100


def is_figure(path: PathLike) -> bool:
    """Return whether the extension is that of a page, not of a picture."""
    return Path(path).suffix.lower() in _FORMATS


def write_figure(path: PathLike, img: ImageArray) -> None:
    """Write a BGR picture as a page of its size, 100 pixels an inch, without loss.

    Parameters
    ----------
    path : path-like
        ``.pdf``, ``.svg``, ``.svgz``, ``.eps`` or ``.ps``.
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from matplotlib.figure import Figure  # slow to load, and seldom needed

    height, width = img.shape[:2]
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(img[..., ::-1], interpolation="none")  # BGR -> RGB
    buffer = io.BytesIO()
    figure.savefig(buffer, format=Path(path).suffix[1:].lower(), dpi=_DPI)
    with atomic_write(path) as file:
        file.write(buffer.getvalue())
