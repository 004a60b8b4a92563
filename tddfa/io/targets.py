"""No output of a run may be one of its inputs, and no two outputs may be one file.

Checked before any work: a picture that was overwritten by its own texture cannot be had back.
"""

import os
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tddfa.errors import InputError

# What tells a file from all others: device and inode, or a folder's and the names below it.
FileKey = tuple[int, int, tuple[str, ...]]


@dataclass(frozen=True)
class RunFile:
    """A file that a run reads or writes.

    Attributes
    ----------
    path : Path
        As the user gave it; it need not exist.
    role : str
        What it is to the run, for messages: ``picture``, ``weights``, ``--json``.
    """

    path: Path
    role: str

    def __str__(self) -> str:
        """Return role and path for a message."""
        return f"{self.role} '{self.path}'"


def check_targets(inputs: Iterable[RunFile], outputs: Iterable[RunFile]) -> None:
    """Raise unless every output is a file of its own.

    Files that exist are compared by device and inode, so that symbolic and hard links are found
    whatever their names; others by their resolved path, without regard to case where the file
    system has none. Devices and pipes (``/dev/null``) may be written by several outputs.

    Parameters
    ----------
    inputs : iterable of RunFile
        Files that the run reads; the same one may be there twice.
    outputs : iterable of RunFile
        Files that the run may write, derived ones (``.mtl``, ``.png`` of a mesh) included.

    Raises
    ------
    InputError
        Names the first output that is an input or another output, and that one; or an output that
        is a folder.

    Examples
    --------
    >>> check_targets([RunFile(Path("a.png"), "picture")], [RunFile(Path("a.jpg"), "--out")])
    >>> check_targets([RunFile(Path("a.png"), "picture")], [RunFile(Path("./a.png"), "--out")])
    Traceback (most recent call last):
    ...
    tddfa.errors.InputError: --out 'a.png' would overwrite the input picture 'a.png': choose another
    """
    read: dict[FileKey, RunFile] = {}
    for file in inputs:
        key = _key(file.path)
        if key is not None:
            read.setdefault(key, file)
    written: dict[FileKey, RunFile] = {}
    for file in outputs:
        status = _status(file.path)
        if status is not None and stat.S_ISDIR(status.st_mode):
            raise InputError(f"{file}: expected a file, found a folder")
        key = _key(file.path)
        if key is None:
            continue
        if key in read:
            raise InputError(f"{file} would overwrite the input {read[key]}: choose another")
        if key in written:
            raise InputError(f"{file} and {written[key]} are the same file: choose another")
        written[key] = file


def _key(path: Path) -> FileKey | None:
    """Return what identifies a file; None for one that cannot be lost."""
    status = _status(path)
    if status is None:
        return _key_of_missing(path)
    return (status.st_dev, status.st_ino, ()) if stat.S_ISREG(status.st_mode) else None


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):  # missing, no permission, too long, a NUL in the name
        return None


def _key_of_missing(path: Path) -> FileKey | None:
    try:
        parent = path.resolve()
        names: list[str] = []
    except (OSError, ValueError, RuntimeError):  # no permission, a NUL in the name, a link's loop
        return None
    while (status := _status(parent)) is None:
        if parent == parent.parent:
            return None
        names.append(parent.name)
        parent = parent.parent
    if ignores_case(parent):
        names = [unicodedata.normalize("NFC", name).casefold() for name in names]
    return status.st_dev, status.st_ino, tuple(names)


def ignores_case(folder: Path) -> bool:
    """Tell whether an existing folder lies on a file system that takes ``A`` and ``a`` for one."""
    for part in (folder, *folder.parents):
        other = part.with_name(part.name.swapcase()) if part.name else part
        if other != part:
            return other.exists() and other.samefile(part)
    return os.path.normcase("A") == "a"
