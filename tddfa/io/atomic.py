"""Writing a file so that nobody ever sees half of it; nothing in the project writes otherwise."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError

PathLike = str | os.PathLike[str]


def _cannot_write(path: PathLike, error: OSError) -> InputError:
    return InputError(f"cannot write {os.fspath(path)}: {error.strerror or error}")


def checked_target(path: PathLike) -> Path:
    """Return the real path of a file that can be written; missing parent folders are made.

    Raises
    ------
    InputError
        If `path` is a folder or read-only, or its folder cannot be made.
    """
    try:
        target = Path(path).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise InputError(f"cannot write {os.fspath(path)}: expected a file, found a folder")
        if target.exists() and not os.access(target, os.W_OK):
            raise InputError(f"cannot write {os.fspath(path)}: the file is read-only")
    except OSError as error:
        raise _cannot_write(path, error) from error
    return target


def temporary_beside(target: Path) -> Path:
    """Return an unused hidden name in the folder of `target`, with its extension.

    Not derived from the target's name, which may already be as long as a name can be.
    """
    return target.with_name(f".{os.urandom(8).hex()}.tmp{target.suffix}")


@contextlib.contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block ends well.

    For libraries that write to a path of their own. After an error the temporary file is removed
    and whatever lay at `path` before is untouched.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    target = checked_target(path)
    temporary = temporary_beside(target)
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_write(path: PathLike, mode: str = "wb") -> Iterator[IO[Any]]:
    r"""Open a file for writing that appears under its name only when it is complete.

    The data goes to a temporary file in the same folder, which is renamed at the end; after an
    error it is removed and whatever lay at `path` before is untouched. Missing parent folders are
    made. A symbolic link is followed, and a device or pipe (``/dev/null``) is written directly.

    Parameters
    ----------
    path : path-like
        The file to write.
    mode : {'wb', 'w'}
        Binary, or UTF-8 text with ``\n`` line ends.

    Yields
    ------
    file object

    Raises
    ------
    InputError
        If the file cannot be written (no permission, full disk, a folder of that name, …).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder) / "new" / "a.txt", "w") as file:
    ...         _ = file.write("whole or not at all")
    ...     (Path(folder) / "new" / "a.txt").read_text()
    'whole or not at all'
    """
    if mode not in ("wb", "w"):
        raise ValueError(f"mode: expected 'wb' or 'w', got {mode!r}")
    text: dict[str, Any] = {} if mode == "wb" else {"encoding": "utf-8", "newline": "\n"}
    target = checked_target(path)
    if target.exists() and not target.is_file():
        try:
            with target.open(mode, **text) as file:
                yield file
        except OSError as error:
            raise _cannot_write(path, error) from error
        return
    with replacing(target) as temporary, temporary.open(mode.replace("w", "x"), **text) as file:
        yield file


def save_arrays(path: PathLike, **arrays: npt.ArrayLike) -> None:
    """Write an ``.npz`` archive, whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    # NumPy's stubs take any array by name for `allow_pickle`, a bool.
    named: dict[str, Any] = dict(arrays)
    with atomic_write(path) as file:
        np.savez(file, **named)
