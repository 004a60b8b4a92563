"""Find the ONNX file that goes with a PyTorch checkpoint; convert once where there is none.

A cached file's name carries two digests, so that it can be trusted without being understood::

    mb1_120x120-0123456789abcdef-fedcba9876543210.onnx
                of the checkpoint of the file itself
"""

import importlib.util
import logging
from pathlib import Path

from tddfa.cache import cache_folder, digest, short_stem
from tddfa.errors import InputError
from tddfa.onnx_labels import is_made_from

logger = logging.getLogger(__name__)


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
        if digest(cached) == cached.stem.rpartition("-")[2]:
            return cached
        damaged.append(cached)
    if importlib.util.find_spec("torch") is None:
        raise InputError(
            f"'{checkpoint}' has no ONNX file beside it and converting it needs PyTorch: "
            "pip install torch onnx onnxscript"
        )
    # What it takes from here on is slow to import.
    from tddfa.checkpoint_head import check_head
    from tddfa.onnx_conversion import convert

    check_head(checkpoint)
    for cached in damaged:
        logger.warning("%s is damaged: it is made anew", cached)

    made = convert(checkpoint, stem)
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
    return f"{short_stem(checkpoint)}-{digest(checkpoint)}"


def _cached(stem: str) -> list[Path]:
    try:
        entries = sorted(cache_folder().iterdir())
    except (OSError, RuntimeError):
        return []
    return [p for p in entries if p.name.startswith(f"{stem}-") and p.suffix == ".onnx"]


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.debug("%s cannot be removed: %s", path, error)
