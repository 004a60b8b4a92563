"""Writing a file so that nobody ever sees half of it."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tddfa.errors import InputError

PathLike = str | os.PathLike[str]


def _cannot_write(path: PathLike, error: OSError) -> InputError:
    return InputError(f"cannot write {os.fspath(path)}: {error.strerror or error}")


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
    temporary: Path | None = None
    try:
        target = Path(path).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise InputError(f"cannot write {os.fspath(path)}: expected a file, found a folder")
        if target.exists() and not os.access(target, os.W_OK):
            raise InputError(f"cannot write {os.fspath(path)}: the file is read-only")
        if target.exists() and not target.is_file():
            with target.open(mode, **text) as file:
                yield file
            return
        # Not derived from the target's name, which may already be as long as a name can be.
        temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
        with temporary.open(mode.replace("w", "x"), **text) as file:
            yield file
        temporary.replace(target)
        temporary = None
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
