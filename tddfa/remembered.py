"""What is known of a file's contents, kept in the user's cache for as long as the file is the same.

Weights and face models are hashed to see whether they belong together: 30 MB each time a program
starts. A file is the same if its place on the disk, size and times are; of the times, that of the
last change of any kind (ctime) cannot be set back.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tddfa.cache import cache_folder

# A file may change once more without a later time, so coarse are the clocks of file systems.
_RECENT = 2.0
_MOST_KEPT = 400


def remembered(path: Path, kind: str, compute: Callable[[], str]) -> str:
    """Return what is computed of a file's contents, from the cache if it is known.

    A cache that cannot be written, or an entry that is damaged, only costs time.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        What is computed.
    compute : callable
        Computes it, from this file alone.
    """
    entry = Entry.of(path, kind)
    value = entry.read()
    if value is None:
        value = compute()
        entry.write(value)
    return value


@dataclass(frozen=True)
class Entry:
    """One thing that may be known of a file.

    Attributes
    ----------
    source : Path
        The file.
    identity : str
        See `file_identity`; empty where nothing can be remembered.
    key : str
        Stands for file and kind.
    """

    source: Path
    identity: str
    key: str

    @classmethod
    def of(cls, source: Path, kind: str) -> "Entry":
        """Return the entry for a kind of knowledge of a file."""
        identity = file_identity(source)
        return cls(source, identity, hashlib.sha256(f"{kind} {identity}".encode()).hexdigest())

    def read(self) -> str | None:
        """Return what is known, None if nothing is."""
        if not self.identity:
            return None
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            check, _, value = self._place().read_text(encoding="utf-8").partition(" ")
            if check == self._check(value):
                return value
        return None

    def write(self, value: str) -> None:
        """Keep what was found out, unless the file may have changed meanwhile."""
        if not self.identity or file_identity(self.source) != self.identity:
            return
        with contextlib.suppress(OSError, RuntimeError):  # no home, or no permission
            if not _changed_lately(self.source):
                _keep(self._place(), f"{self._check(value)} {value}")

    def _place(self) -> Path:
        return cache_folder() / "known" / self.key[:32]

    def _check(self, value: str) -> str:
        return hashlib.sha256(f"{self.key} {value}".encode()).hexdigest()[:16]


def file_identity(path: Path) -> str:
    """Return what changes whenever a file's contents do; nothing if it cannot be told."""
    try:
        status = path.stat()
    except OSError:
        return ""
    place, times = (status.st_dev, status.st_ino), (status.st_mtime_ns, status.st_ctime_ns)
    return f"{path.absolute()} {place} {status.st_size} {times}"


def _changed_lately(path: Path) -> bool:
    status = path.stat()
    return time.time() - max(status.st_mtime, status.st_ctime) < _RECENT


def _keep(entry: Path, text: str) -> None:
    entry.parent.mkdir(parents=True, exist_ok=True)
    temporary = entry.with_name(f".{entry.name}-{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(entry)
    entries = [(known.stat().st_mtime, known) for known in entry.parent.iterdir()]
    for _, known in sorted(entries)[:-_MOST_KEPT]:
        known.unlink(missing_ok=True)
