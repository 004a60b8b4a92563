"""Showing a picture in a window or notebook, where there is one."""

import logging
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.io.atomic import PathLike
from tddfa.io.pictures import imwrite
from tddfa.picture import ImageArray

_LOGGER = logging.getLogger(__name__)

# Matplotlib backends that write files and show nothing.
_FILE_BACKENDS = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}
# Parts of the names of the backends that draw into a notebook's page.
_NOTEBOOK_BACKENDS = ("inline", "widget", "ipympl", "nbagg", "notebook")
# Where Matplotlib's settings may lie, beside the working directory and its folder of settings.
_BACKEND_VARIABLES = ("MPLBACKEND", "MATPLOTLIBRC", "MPLCONFIGDIR")
_SETTINGS = "matplotlibrc"
_DPI = 100
_LARGEST_SIDE = 1400  # pixels of the figure


class ShownPicture(np.ndarray[Any, np.dtype[np.uint8]]):
    """A picture that a notebook has shown already.

    An ordinary array, except that a notebook does not print it once more, as numbers, when the call
    that showed it is the last line of a cell. Arrays computed from it are printed as usual.
    """

    _shown: bool

    def __new__(cls, img: ImageArray) -> "ShownPicture":
        """View `img` as a picture that was shown."""
        self = img.view(cls)
        self._shown = True
        return self

    def __array_finalize__(self, source: Any) -> None:
        self._shown = False

    def _ipython_display_(self) -> None:
        if not self._shown:
            raise NotImplementedError  # IPython's sign for: display it the ordinary way


def in_notebook() -> bool:
    """Return whether pictures can be shown in a notebook's page.

    True in a Jupyter kernel (notebook, lab, Colab, an editor's notebook) whose Matplotlib backend
    draws into the page: inline or a widget. IPython in a terminal is no notebook.
    """
    ipython = sys.modules.get("IPython")  # a kernel has loaded it
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is None:
        return False
    try:
        import matplotlib
    except ImportError:
        return False
    backend = matplotlib.get_backend().lower()
    return any(part in backend for part in _NOTEBOOK_BACKENDS)


def _surely_no_screen() -> bool:
    """Return whether there is no screen for sure, as far as can be told without Matplotlib.

    Loading it takes longer than aligning a face. Where it is loaded, or its settings may name a
    backend that needs no screen (as a notebook's kernel does), it is asked.
    """
    if not sys.platform.startswith("linux") or "matplotlib" in sys.modules:
        return False
    if any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", *_BACKEND_VARIABLES)):
        return False
    home = Path(os.environ.get("HOME") or "/")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return not any(path.is_file() for path in (Path(_SETTINGS), config / "matplotlib" / _SETTINGS))


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


def show_picture(img: ImageArray, written: PathLike | None = None) -> bool:
    """Show a BGR picture with Matplotlib, in the notebook or in a window.

    Where there is neither, or opening it fails, one warning is logged and the program goes on. The
    Matplotlib backend that the user or the notebook has chosen is never changed.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    written : path-like, optional
        File that holds it: what the line names, instead of what cannot be done.

    Returns
    -------
    bool
        Whether the picture was shown.
    """
    failed = "cannot show the picture: %s"
    if written is not None:
        failed = f"wrote {str(written).replace('%', '%%')} (not shown: %s)"
    if _surely_no_screen():
        _LOGGER.warning(failed, "no screen or notebook")
        return False
    try:
        import matplotlib.pyplot as plt

        # Resolves a backend as any first figure does: the file backend where there is no screen.
        backend = plt.get_backend()
        if backend.lower() in _FILE_BACKENDS:
            raise RuntimeError(f"no screen or notebook (Matplotlib backend {backend})")
        _open_figure(img)
    except ImportError as error:
        _LOGGER.warning(failed, f"{_line(error)}, pip install matplotlib")
    except Exception as error:  # GUI toolkits raise whatever they like
        _LOGGER.warning(failed, _line(error))
    else:
        return True
    return False


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def deliver(img: ImageArray, wfp: PathLike | None, show_flag: bool | None) -> ImageArray:
    """Write the picture if there is a path, show it if asked to, and return it.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    wfp : path-like, optional
        File to write it to.
    show_flag : bool or None
        Show it. None: where a notebook is there to show it and it is not written to a file.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        `img`; a view of it as `ShownPicture` if a notebook has shown it.
    """
    if wfp is not None:
        imwrite(wfp, img)
    if show_flag is None:
        show_flag = wfp is None and in_notebook()
    if show_flag and show_picture(img) and in_notebook():
        return ShownPicture(img)
    return img
