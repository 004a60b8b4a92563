"""What may be labelled: pictures, archives of pictures, videos; and how they are named."""

import glob
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tddfa.errors import InputError
from tddfa.io.heic import HEIC_SUFFIXES, can_read_heic
from tddfa.io.picture_paths import PICTURE_SUFFIXES
from tddfa.label.places import is_uri, open_store

logger = logging.getLogger(__name__)

Kind = Literal["picture", "archive", "video"]
ARCHIVE_SUFFIXES = frozenset({".tar"})
LIST_SUFFIXES = frozenset({".txt", ".lst"})
VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts"),
        *("wmv", "flv", "3gp", "ogv", "vob"),
    )
)


@dataclass(frozen=True)
class Source:
    """One input.

    Attributes
    ----------
    path : str
        As it is written into the table.
    kind : {'picture', 'archive', 'video'}
        An archive is a tar file of pictures (WebDataset).
    """

    path: str
    kind: Kind


def picture_suffixes() -> frozenset[str]:
    """Return the extensions that count as pictures in folders and archives."""
    return PICTURE_SUFFIXES | (HEIC_SUFFIXES if can_read_heic() else frozenset())


def kind_of(path: str | Path) -> Kind:
    """Return what a file is taken for by its name; what is nothing else is a picture."""
    suffix = Path(path).suffix.lower()
    if suffix in ARCHIVE_SUFFIXES:
        return "archive"
    return "video" if suffix in VIDEO_SUFFIXES else "picture"


def find_sources(arguments: Sequence[str]) -> list[Source]:
    """Return the inputs that arguments stand for, each file once, in the order given.

    Parameters
    ----------
    arguments : sequence of str
        Files; folders, with all below them; patterns (``photos/**/*.jpg``); text lists (``.txt``:
        a path a line, relative to the list's folder); object stores
        (``s3://bucket/folder``).

    Raises
    ------
    InputError
        If an argument stands for nothing.
    """
    found: dict[str, Source] = {}
    for argument in arguments:
        before = len(found)
        for path in _expand(argument):
            found.setdefault(path, Source(path, kind_of(path)))
        if len(found) == before and not any(_expand(argument)):
            raise InputError(f"'{argument}': expected pictures, archives or videos, found none")
    return list(found.values())


def _expand(argument: str) -> Iterable[str]:
    if is_uri(argument):
        return _stored(argument)
    path = Path(argument)
    if path.is_dir():
        return _below(path)
    if path.suffix.lower() in LIST_SUFFIXES and path.is_file():
        return _listed(path)
    if path.exists():
        return [argument]
    if glob.has_magic(argument):
        # Not Path.glob, which takes no pattern that begins with a folder.
        files = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (see above)
        return [name for name in files if not Path(name).is_dir()]
    raise InputError(f"'{argument}': expected a file, folder, pattern or list, found nothing")


def _stored(uri: str) -> list[str]:
    """Return an object, or what can be labelled below a prefix, sorted."""
    from pyarrow import fs

    store, path = open_store(uri)
    try:
        info = store.get_file_info(path)
        if info.is_file:
            return [uri]
        found = store.get_file_info(fs.FileSelector(path, recursive=True))
    except OSError as error:
        raise InputError(f"'{uri}': cannot be read: {str(error).splitlines()[0]}") from error
    known = picture_suffixes() | ARCHIVE_SUFFIXES
    start = uri[: uri.rindex(path)] if path in uri else uri
    return sorted(
        f"{start}{info.path}"
        for info in found
        if info.is_file and Path(info.path).suffix.lower() in known
    )


def _below(folder: Path) -> Iterator[str]:
    """Yield what can be labelled below a folder, sorted; hidden files and folders are left out."""
    known = picture_suffixes() | ARCHIVE_SUFFIXES | VIDEO_SUFFIXES
    for parent, folders, files in os.walk(folder, onerror=_cannot_list):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in known:
                yield str(Path(parent) / name)


def _cannot_list(error: OSError) -> None:
    raise InputError(f"'{error.filename}': cannot be read: {error.strerror}") from error


def _listed(path: Path) -> Iterator[str]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}': expected a list of paths in UTF-8") from error
    for line in text.splitlines():
        if line.strip():
            name = line.strip()
            yield name if is_uri(name) else str(path.parent / name)
