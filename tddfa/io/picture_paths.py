"""Which pictures to read, and what the files made from them are called."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tddfa.errors import InputError

PICTURE_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("bmp", "dib", "jpeg", "jpg", "jpe", "jp2", "png", "webp"),
        *("avif", "pbm", "pgm", "ppm", "pnm", "tif", "tiff"),
    )
)
DEFAULT_FOLDER = Path("examples/results")


def expand_inputs(arguments: Sequence[str]) -> list[Path]:
    """Return the pictures that files and folders stand for.

    A file stands for itself, whatever its name; a folder for the pictures directly in it, sorted.

    Raises
    ------
    InputError
        If a path does not exist or a folder holds no picture.
    """
    paths: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if not path.is_dir():
            paths.append(path)
            continue
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        if not found:
            raise InputError(f"'{path}': expected a folder with pictures in it, found none")
        paths.extend(found)
    return paths


def unique_stems(paths: Sequence[Path]) -> list[str]:
    """Name each picture's outputs so that none overwrites another's.

    The stem where it is unique, else the whole name with the dot replaced, else with a number:
    ``a.jpg`` alone gives ``a``; ``a.jpg`` and ``a.png`` give ``a_jpg`` and ``a_png``.
    """
    stems = Counter(path.stem for path in paths)
    names = [p.stem if stems[p.stem] == 1 else p.name.replace(".", "_") for p in paths]
    taken: set[str] = set()
    unique = []
    for name in names:
        number, candidate = 1, name
        while candidate in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate)
        unique.append(candidate)
    return unique


class OutputPaths:
    """Where outputs go: ``{folder}/{stem}_{option}{suffix}``, or one file that the user named.

    Parameters
    ----------
    out : str, optional
        Folder, or file if there is one picture and one option; by default ``examples/results``.
    options : sequence of str
        Options asked for.
    n_pictures : int
        Number of pictures.

    Raises
    ------
    InputError
        If `out` names a file and there are several outputs, or its suffix does not fit.
    """

    def __init__(self, out: str | None, options: Sequence[str], n_pictures: int) -> None:
        self.folder = DEFAULT_FOLDER if out is None else Path(out)
        self.file: Path | None = None
        if out is None or self.folder.is_dir() or not self.folder.suffix or out.endswith("/"):
            return
        suffix = self.folder.suffix.lower()
        known = PICTURE_SUFFIXES | {".ply", ".obj"}
        if suffix not in known:
            return  # a folder with a dot in its name
        if len(options) != 1 or n_pictures != 1:
            raise InputError(
                f"--out '{out}': expected a folder for {n_pictures} pictures x {len(options)} "
                "outputs, got a file name"
            )
        expected = {"ply": {".ply"}, "obj": {".obj"}}.get(options[0], PICTURE_SUFFIXES)
        if suffix not in expected:
            wanted = ", ".join(sorted(expected))
            raise InputError(f"--out '{out}': expected {wanted} for {options[0]}")
        self.file = self.folder

    def path(self, stem: str, option: str) -> Path:
        """Return where one output of one picture goes."""
        if self.file is not None:
            return self.file
        suffix = f".{option}" if option in ("ply", "obj") else ".jpg"
        return self.folder / f"{stem}_{option}{suffix}"
