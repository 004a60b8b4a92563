"""Showing a picture in a window or notebook, where there is one."""

import logging

from utils.atomic import PathLike
from utils.decode import ImageArray
from utils.io import imwrite

_LOGGER = logging.getLogger(__name__)

# Matplotlib backends that write files and show nothing.
_FILE_BACKENDS = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}
_DPI = 100
_LARGEST_SIDE = 1400  # pixels of the figure


def _open_figure(img: ImageArray) -> None:
    import matplotlib.pyplot as plt  # slow to load, and needed here alone

    height, width = img.shape[:2]
    scale = min(1.0, _LARGEST_SIDE / max(height, width)) / _DPI
    figure = plt.figure(figsize=(max(width * scale, 1), max(height * scale, 1)), dpi=_DPI)
    try:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.imshow(img[..., ::-1])  # BGR -> RGB
        plt.show()
    finally:
        plt.close(figure)


def show_picture(img: ImageArray) -> bool:
    """Show a BGR picture with Matplotlib, in the notebook or in a window.

    Where there is neither, or opening it fails, one warning is logged and the program goes on. The
    Matplotlib backend that the user or the notebook has chosen is never changed.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.

    Returns
    -------
    bool
        Whether the picture was shown.
    """
    try:
        import matplotlib.pyplot as plt

        # Resolves a backend as any first figure does: the file backend where there is no screen.
        backend = plt.get_backend()
        if backend.lower() in _FILE_BACKENDS:
            raise RuntimeError(f"no screen or notebook (Matplotlib backend {backend})")
        _open_figure(img)
    except ImportError as error:
        _LOGGER.warning("cannot show the picture: %s (pip install matplotlib)", _line(error))
    except Exception as error:  # GUI toolkits raise whatever they like
        _LOGGER.warning("cannot show the picture: %s", _line(error))
    else:
        return True
    return False


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def deliver(img: ImageArray, wfp: PathLike | None, show_flag: bool) -> ImageArray:
    """Write the picture if there is a path, show it if asked to, and return it."""
    if wfp is not None:
        imwrite(wfp, img)
    if show_flag:
        show_picture(img)
    return img
