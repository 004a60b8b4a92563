"""The user's cache: files that can be made again, at a cost."""

import hashlib
import logging
import os
import sys
from pathlib import Path

logger = logging.getLogger(__name__)

# Leading hexadecimal digits of a SHA-256 that names carry.
_DIGITS = 16
_CHUNK = 1 << 20
# Characters of a file's name that are kept: a whole name has 255 bytes at most.
_LONGEST_STEM = 50


def cache_folder() -> Path:
    """Return the user's cache folder of this package (not created).

    Raises
    ------
    RuntimeError
        If neither the environment nor the system knows the user's home.
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tddfa"


def digest(path: Path) -> str:
    """Return the first digits of a file's SHA-256; of nothing if it cannot be read."""
    sha = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                sha.update(chunk)
    except OSError as error:
        logger.debug("%s cannot be read: %s", path, error)
        return ""
    return sha.hexdigest()[:_DIGITS]


def short_stem(path: Path) -> str:
    """Return a file's name without its ending, not too long to begin the name of a cached one."""
    return path.stem[:_LONGEST_STEM]


def working_folder(prefix: str) -> Path:
    """Return a new folder in the cache, whose contents can be renamed to where they belong.

    Raises
    ------
    OSError, RuntimeError
        If the cache cannot be written, or nobody knows the user's home.
    """
    import tempfile  # slow to import, and seldom needed

    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{prefix}-", dir=cache))
