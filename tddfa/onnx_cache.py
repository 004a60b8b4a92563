"""Find the ONNX file that goes with a PyTorch checkpoint; convert once where there is none."""

import hashlib
import importlib.util
import logging
import os
import subprocess
import sys
from pathlib import Path

from tddfa.errors import InputError
from tddfa.onnx_labels import is_made_from

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the user's cache folder of this package (not created)."""
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
    one in the user's cache whose name carries the checkpoint's SHA-256, else a new conversion in
    that cache. The conversion needs PyTorch and runs in a process of its own, so that the caller
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
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16]
    cached = cache_folder() / f"{checkpoint.stem}-{digest}.onnx"
    if cached.is_file():
        return cached
    if importlib.util.find_spec("torch") is None:
        raise InputError(
            f"'{checkpoint}' has no ONNX file beside it and converting it needs PyTorch: "
            "pip install torch onnx onnxscript"
        )
    logger.warning("converting %s to ONNX, once (kept in %s)", checkpoint.name, cached.parent)
    command = [sys.executable, "-m", "tddfa.export_onnx", str(checkpoint), "--out", str(cached)]
    search_path = Path(__file__).resolve().parent.parent  # where the other process finds tddfa
    done = subprocess.run(command, capture_output=True, text=True, cwd=search_path, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise InputError(lines[-1].removeprefix("error: "))
    return cached
