"""Where results go that nobody named a place for."""

from pathlib import Path

IN_A_CHECKOUT = Path("examples/results")
# Files that tell this project's checkout from any other folder.
MARKS = ("tddfa/__init__.py", "configs/face_model.npz", "examples")


def results_folder(kind: str = "") -> Path:
    """Return the folder for results, relative to the working directory.

    Parameters
    ----------
    kind : str
        Name of a folder within that of a checkout.

    Returns
    -------
    Path
        ``examples/results`` and `kind` if the working directory is the project's checkout, else
        the working directory itself: an installed program makes no folders that nobody asked for.
    """
    here = Path()
    if all((here / mark).exists() for mark in MARKS):
        return IN_A_CHECKOUT / kind
    return here


def results_place(kind: str = "") -> str:
    """Say in words where `results_folder` is, for help texts."""
    folder = results_folder(kind)
    return "the current folder" if folder == Path() else str(folder)
