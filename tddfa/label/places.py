"""Where tables are written and inputs are read: this machine's folders, or an object store.

An object store's files are reached through PyArrow (``s3://``, ``gs://``, ``abfs://``, ``hdfs://``,
``file://``), with the credentials that it finds. Its files appear when they are whole, too: what
is written has a temporary name until then.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from tddfa.errors import InputError
from tddfa.io.atomic import atomic_write

if TYPE_CHECKING:
    from pyarrow import fs

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_TEMPORARY = ".tmp"


def is_uri(name: str) -> bool:
    """Tell whether a name is one of an object store's, not a path."""
    return _URI.match(name) is not None


def open_store(uri: str) -> "tuple[fs.FileSystem, str]":
    """Return the file system that a URI names, and the path in it.

    Raises
    ------
    InputError
        If PyArrow knows no such store, or it cannot be reached.
    """
    from pyarrow import fs

    try:
        store, path = fs.FileSystem.from_uri(uri)
    except (ValueError, OSError, NotImplementedError) as error:
        raise InputError(f"{uri}: expected a store as s3://bucket/path: {_line(error)}") from error
    return store, path


def read_bytes(name: str) -> bytes:
    """Return a file's content, from a path or a URI.

    Raises
    ------
    InputError
        If it cannot be read; the message names it.
    """
    try:
        if not is_uri(name):
            return Path(name).read_bytes()
        store, path = open_store(name)
        with store.open_input_file(path) as file:
            return bytes(file.read())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or _line(error)
        raise InputError(f"{name}: cannot be read: {reason}") from error


class Place(Protocol):
    """A folder that a table is written to."""

    def write(self, name: str) -> contextlib.AbstractContextManager[IO[Any]]:
        """Open a file for writing, which appears when the block ends well."""

    def read(self, name: str) -> bytes:
        """Return a file's content; `FileNotFoundError` if it is not there."""

    def names(self) -> set[str]:
        """Return the names of all files that are whole."""

    def remove_leftovers(self) -> None:
        """Remove what a killed run left half-written."""

    def open(self, name: str) -> Any:
        """Return what PyArrow reads a file from."""


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def write(self, name: str) -> contextlib.AbstractContextManager[IO[Any]]:
        """Open a file for writing, which appears when the block ends well."""
        return atomic_write(self.path / name)

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        return (self.path / name).read_bytes()

    def names(self) -> set[str]:
        """Return the names of all files that are whole."""
        if not self.path.is_dir():
            return set()
        return {path.name for path in self.path.iterdir() if not path.name.startswith(".")}

    def remove_leftovers(self) -> None:
        """Remove what a killed run left half-written."""
        for path in self.path.glob(".*.tmp.parquet"):
            with contextlib.suppress(OSError):
                path.unlink()

    def open(self, name: str) -> Path:
        """Return what PyArrow reads a file from."""
        return self.path / name


class StoreFolder:
    """A folder of an object store; it is pickled as its URI."""

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        self._store, self._path = open_store(self.uri)

    def __reduce__(self) -> tuple[Any, ...]:
        return StoreFolder, (self.uri,)

    def __str__(self) -> str:
        return self.uri

    @contextlib.contextmanager
    def write(self, name: str) -> Iterator[IO[Any]]:
        """Open a file for writing, which appears when the block ends well."""
        temporary = f"{self._path}/{name}.{secrets.token_hex(8)}{_TEMPORARY}"
        try:
            self._store.create_dir(self._path, recursive=True)
            with self._store.open_output_stream(temporary) as file:
                yield file
            self._store.move(temporary, f"{self._path}/{name}")
        except OSError as error:
            raise InputError(f"cannot write {self.uri}/{name}: {_line(error)}") from error
        finally:
            with contextlib.suppress(OSError):
                if self._exists(temporary):
                    self._store.delete_file(temporary)

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with self._store.open_input_file(f"{self._path}/{name}") as file:
            return bytes(file.read())

    def names(self) -> set[str]:
        """Return the names of all files that are whole."""
        return {name for name in self._all() if not name.endswith(_TEMPORARY)}

    def remove_leftovers(self) -> None:
        """Remove what a killed run left half-written."""
        for name in self._all():
            if name.endswith(_TEMPORARY):
                with contextlib.suppress(OSError):
                    self._store.delete_file(f"{self._path}/{name}")

    def open(self, name: str) -> Any:
        """Return what PyArrow reads a file from."""
        return self._store.open_input_file(f"{self._path}/{name}")

    def _all(self) -> list[str]:
        from pyarrow import fs

        found = self._store.get_file_info(fs.FileSelector(self._path, allow_not_found=True))
        return [info.base_name for info in found if info.is_file]

    def _exists(self, path: str) -> bool:
        return bool(self._store.get_file_info(path).is_file)


def open_place(name: str) -> Folder | StoreFolder:
    """Return the folder that a path or URI names.

    Raises
    ------
    InputError
        If it is a file, or the store cannot be reached.
    """
    if is_uri(name):
        return StoreFolder(name)
    path = Path(name)
    if path.exists() and not path.is_dir():
        raise InputError(f"--out '{path}': expected a folder, found a file")
    return Folder(path)


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
