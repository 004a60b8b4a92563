"""Uploads and results do not stay: what is old, or too much, is removed."""

import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tddfa.web.limits import Limits

# Seconds between two looks.
_EVERY = 20


@dataclass(frozen=True)
class Entry:
    """A file or folder of uploads or results: its path, when it was last written, its bytes."""

    path: Path
    time: float
    size: int


class Storage:
    """The folder that the server keeps uploads and results in.

    Parameters
    ----------
    folder : Path
        It is the server's alone.
    limits : Limits
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self._limits = folder, limits

    def new_job(self) -> Path:
        """Return a new folder, whose name nobody can guess."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self.folder, prefix="job"))

    def entries(self) -> list[Entry]:
        """Return what is there, the oldest first."""
        return sorted(map(_entry, self.folder.glob("*")), key=lambda entry: entry.time)

    def clean(self, now: float | None = None) -> None:
        """Remove what is older than `Limits.keep_seconds`, and the oldest of too much.

        Parameters
        ----------
        now : float, optional
            Seconds as of `time.time`; by default the present.
        """
        entries = self.entries()
        total = sum(entry.size for entry in entries)
        oldest = (time.time() if now is None else now) - self._limits.keep_seconds
        for entry in entries:
            if entry.time < oldest or total > self._limits.stored_mb << 20:
                _remove(entry.path)
                total -= entry.size

    def keep_clean(self) -> None:
        """Clean every now and then, in a thread that ends with the process."""

        def work() -> None:
            while True:
                time.sleep(_EVERY)
                self.clean()

        threading.Thread(target=work, daemon=True, name="storage").start()


def _entry(path: Path) -> Entry:
    latest, size = 0.0, 0
    for part in (path, *path.rglob("*")):
        try:
            status = part.stat()
        except OSError:  # removed meanwhile
            continue
        latest = max(latest, status.st_mtime)
        size += status.st_size
    return Entry(path, latest, size)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
