"""Convert a PyTorch checkpoint to ONNX in a process of its own."""

import atexit
import logging
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tddfa.cache import cache_folder, digest, working_folder
from tddfa.child_python import child_command, child_environment
from tddfa.errors import InputError

logger = logging.getLogger(__name__)


def convert(checkpoint: Path, stem: str) -> Path:
    """Convert a checkpoint and keep the result in the cache if that can be written.

    Parameters
    ----------
    checkpoint : Path
    stem : str
        Begins the name of the cached file.

    Returns
    -------
    Path
        The ``.onnx``: in the cache, or one for this process only.

    Raises
    ------
    InputError
        If it cannot be converted.
    """
    folder = _working_folder()
    temporary = folder / f"{stem}.onnx"
    command = child_command("tddfa.export_onnx", [str(checkpoint), "--out", str(temporary)])
    logger.warning("converting %s to ONNX, once", checkpoint.name)
    environment = child_environment(os.environ)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise InputError(lines[-1].removeprefix("error: "))
    name = f"{stem}-{digest(temporary)}.onnx"
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
        return working_folder("convert")
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
