"""Which pictures to read, and what the files made from them are called."""

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tddfa.errors import InputError
from tddfa.io.heic import HEIC_SUFFIXES, INSTALL, can_read_heic
from tddfa.io.results import results_folder

logger = logging.getLogger(__name__)

# What pictures can be written as; the rest of what is read cannot hold color, or is not written.
TARGET_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("bmp", "dib", "jpeg", "jpg", "jpe", "jp2", "png", "webp"),
        *("avif", "ppm", "pnm", "tif", "tiff"),
    )
)
PICTURE_SUFFIXES = TARGET_SUFFIXES | {".gif", ".pbm", ".pgm"}
# Names that a user may think of as a picture's or mesh's, and that are not written.
_UNWRITTEN = {
    *(".gif", ".pbm", ".pgm", ".tga", ".ico", ".pcx", ".psd", ".svg", ".pdf", ".exr", ".hdr"),
    *(".pfm", ".pam", ".stl", ".glb", ".gltf", ".fbx", ".mp4", ".avi", ".mov", ".mkv"),
    *HEIC_SUFFIXES,
}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def check_no_url(name: str) -> None:
    """Raise `InputError` if a file's name is a URL, which `pathlib` would shorten (``http:/x``)."""
    if _URL.match(name):
        raise InputError(f"{name}: expected a file or folder; download it first")


def expand_inputs(arguments: Sequence[str]) -> list[Path]:
    """Return the pictures that files and folders stand for.

    A file stands for itself, whatever its name; a folder for the pictures directly in it, sorted.
    Hidden files are left out: macOS puts a ``._x.png`` that is no picture beside each ``x.png``.
    HEIC pictures count if pillow-heif is installed; if not, one line says how many are left out.

    Raises
    ------
    InputError
        If an argument is a URL or a folder holds no picture.
    """
    paths: list[Path] = []
    for argument in arguments:
        check_no_url(argument)
        path = Path(argument)
        paths += _pictures_in(path) if path.is_dir() else [path]
    return paths


def _pictures_in(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"'{folder}': cannot be read: {error.strerror or error}") from error
    files = [p for p in entries if not p.name.startswith(".") and not p.is_dir()]
    found = [p for p in files if p.suffix.lower() in PICTURE_SUFFIXES]
    heic = [p for p in files if p.suffix.lower() in HEIC_SUFFIXES]
    if heic and can_read_heic():
        found = sorted(found + heic)
    elif heic:
        skipped = f"{len(heic)} HEIC picture{'s' if len(heic) > 1 else ''}"
        if not found:
            raise InputError(f"'{folder}': {skipped}, nothing else; to read them: {INSTALL}")
        logger.warning("%s: %s skipped; to read them: %s", folder, skipped, INSTALL)
    if not found:
        raise InputError(f"'{folder}': expected a folder with pictures in it, found none")
    return found


def unique_stems(paths: Sequence[Path]) -> list[str]:
    """Name each picture's outputs so that none overwrites another's.

    The stem where it is unique, else the whole name with the dot replaced, else with a number:
    ``a.jpg`` alone gives ``a``; ``a.jpg`` and ``a.png`` give ``a_jpg`` and ``a_png``. Names that
    differ by case or by the kind of space alone are not unique: some file systems take the former
    for one, and the files of a textured OBJ have underscores for spaces.
    """
    stems = Counter(_folded(path.stem) for path in paths)
    names = [p.stem if stems[_folded(p.stem)] == 1 else p.name.replace(".", "_") for p in paths]
    taken: set[str] = set()
    unique = []
    for name in names:
        number, candidate = 1, name
        while _folded(candidate) in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(_folded(candidate))
        unique.append(candidate)
    return unique


def _folded(name: str) -> str:
    return re.sub(r"\s+", "_", name).casefold()


class OutputPaths:
    """Where outputs go: ``{folder}/{stem}_{option}{suffix}``, or one file that the user named.

    Parameters
    ----------
    out : str, optional
        Folder, or file if there is one picture and one option; by default the results folder.
    options : sequence of str
        Options asked for.
    n_pictures : int
        Number of pictures.
    suffixes : mapping
        Extension of each option there is; ``.jpg`` stands for any picture's.

    Raises
    ------
    InputError
        If `out` names a file and there are several outputs, or its suffix does not fit.
    """

    def __init__(
        self,
        out: str | None,
        options: Sequence[str],
        n_pictures: int,
        suffixes: Mapping[str, str],
    ) -> None:
        if out is not None:
            check_no_url(out)
        self.suffixes = suffixes
        self.folder = results_folder() if out is None else Path(out)
        self.file: Path | None = None
        if out is None or self.folder.is_dir() or not self.folder.suffix or out.endswith("/"):
            return
        suffix = self.folder.suffix.lower()
        known = TARGET_SUFFIXES | _UNWRITTEN | set(suffixes.values())
        if suffix not in known:
            return  # a folder with a dot in its name
        if len(options) != 1 or n_pictures != 1:
            raise InputError(
                f"--out '{out}': expected a folder for {n_pictures} pictures x {len(options)} "
                "outputs, got a file name"
            )
        own = suffixes[options[0]]
        expected = TARGET_SUFFIXES if own in TARGET_SUFFIXES else {own}
        if suffix not in expected:
            wanted = ", ".join(sorted(expected))
            raise InputError(f"--out '{out}': expected {wanted} for {options[0]}")
        self.file = self.folder

    def path(self, stem: str, option: str) -> Path:
        """Return where one output of one picture goes."""
        if self.file is not None:
            return self.file
        return self.folder / f"{stem}_{option}{self.suffixes[option]}"
