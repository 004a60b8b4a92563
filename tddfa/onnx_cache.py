"""Find the ONNX file that goes with a PyTorch checkpoint; convert once where there is none.

A cached file's name carries two digests, so that it can be trusted without being understood::

    mb1_120x120-0123456789abcdef-fedcba9876543210.onnx
                of the checkpoint of the file itself
"""

import atexit
import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tddfa.checkpoint_head import check_head
from tddfa.errors import InputError
from tddfa.onnx_labels import is_made_from

logger = logging.getLogger(__name__)

# Leading hexadecimal digits of a SHA-256.
_DIGITS = 16
_CHUNK = 1 << 20
# Characters of a checkpoint's name that are kept: a whole name has 255 bytes at most.
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


def find_onnx(checkpoint: Path) -> Path:
    """Return the ONNX form of `checkpoint`.

    It is the ``.onnx`` file beside the checkpoint if its labels say that it was made from it, else
    one in the user's cache whose name carries the checkpoint's SHA-256 and its own, else a new
    conversion in that cache. A cached file that was damaged is made anew. Where the cache cannot be
    written, the conversion is kept for this process only. The conversion needs PyTorch and runs in
    a process of its own, so that the caller
    stays free of it.

    Parameters
    ----------
    checkpoint : Path
        An existing ``.pth`` file of a detector or a regressor.

    Returns
    -------
    Path
        An existing ``.onnx`` file.

    Raises
    ------
    InputError
        If the file beside the checkpoint was made from another one, or a conversion is needed and
        PyTorch is missing or the checkpoint cannot be converted.
    """
    beside = checkpoint.with_suffix(".onnx")
    if beside.is_file():
        if is_made_from(beside, checkpoint):
            return beside
        logger.warning("%s does not say that it was made from the .pth: not used", beside)
    stem = _cached_stem(checkpoint)
    damaged = []
    for cached in _cached(stem):
        if _digest(cached) == cached.stem.rpartition("-")[2]:
            return cached
        damaged.append(cached)
    if importlib.util.find_spec("torch") is None:
        raise InputError(
            f"'{checkpoint}' has no ONNX file beside it and converting it needs PyTorch: "
            "pip install torch onnx onnxscript"
        )
    check_head(checkpoint)
    for cached in damaged:
        logger.warning("%s is damaged: it is made anew", cached)
    made = _convert(checkpoint, stem)
    for cached in damaged:
        if cached != made:
            _remove(cached)
    return made


def existing_onnx(checkpoint: Path) -> list[Path]:
    """Return the ONNX files that `find_onnx` would look at, those in the cache not checked."""
    beside = checkpoint.with_suffix(".onnx")
    if beside.is_file():
        return [beside]
    return _cached(_cached_stem(checkpoint))


def _cached_stem(checkpoint: Path) -> str:
    return f"{checkpoint.stem[:_LONGEST_STEM]}-{_digest(checkpoint)}"


def _digest(path: Path) -> str:
    """Return the first digits of a file's SHA-256; of nothing if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        logger.debug("%s cannot be read: %s", path, error)
        return ""
    return digest.hexdigest()[:_DIGITS]


def _cached(stem: str) -> list[Path]:
    try:
        entries = sorted(cache_folder().iterdir())
    except (OSError, RuntimeError):
        return []
    return [p for p in entries if p.name.startswith(f"{stem}-") and p.suffix == ".onnx"]


def _convert(checkpoint: Path, stem: str) -> Path:
    folder = _working_folder()
    temporary = folder / f"{stem}.onnx"
    command = [sys.executable, "-m", "tddfa.export_onnx", str(checkpoint), "--out", str(temporary)]
    logger.warning("converting %s to ONNX, once", checkpoint.name)
    search_path = Path(__file__).resolve().parent.parent  # where the other process finds tddfa
    done = subprocess.run(command, capture_output=True, text=True, cwd=search_path, check=False)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise InputError(lines[-1].removeprefix("error: "))
    name = f"{stem}-{_digest(temporary)}.onnx"
    # Several processes may do this at once: each renames a whole file of its own.
    try:
        kept = cache_folder() / name
        temporary.replace(kept)
    except (OSError, RuntimeError):
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return temporary
    shutil.rmtree(folder, ignore_errors=True)
    logger.warning("kept it as %s", kept)
    return kept


def _working_folder() -> Path:
    """Return a new folder beside the cached files, or a temporary one if that cannot be."""
    try:
        cache = cache_folder()
        cache.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".convert-", dir=cache))
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        logger.warning(
            "the cache cannot be written (%s): the converted network is kept for this run only",
            reason,
        )
    try:
        return Path(tempfile.mkdtemp(prefix="tddfa-"))
    except OSError as error:
        raise InputError(f"no folder to convert networks in: {error.strerror or error}") from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.debug("%s cannot be removed: %s", path, error)
