"""Networks as ONNX Runtime has optimized them, kept in the user's cache.

Reading and optimizing the x1.0 regressor takes 45 ms and 55 MB each time a program starts. What
comes out of it is kept, its weights in a file that is mapped into memory and not read::

    optimized/mb1_120x120-0123456789abcdef/model.onnx    the graph
                                           weights.bin   its weights
                                           complete      what tells that both are as written

The digits stand for the network's contents and for all that the result depends on: ONNX Runtime's
version and the processor, to whose vector registers the weights' layout is cut.
"""

import contextlib
import hashlib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tddfa.cache import cache_folder, short_stem, working_folder
from tddfa.errors import InputError
from tddfa.processor import processor_kind
from tddfa.weight_labels import file_sha256

logger = logging.getLogger(__name__)

FORMAT = "2"
MODEL, WEIGHTS, COMPLETE = "model.onnx", "weights.bin", "complete"
# So many networks are kept; the one that has not been used for longest goes first.
_MOST_KEPT = 12
# Networks of less than so many bytes are opened as fast without.
_LEAST_FILE = 1 << 20
# Smaller weights than this many bytes stay in the graph.
_LEAST_BYTES = "1024"
_CPU = ["CPUExecutionProvider"]


def open_optimized(path: Path, make_options: Callable[[], Any]) -> Any:
    """Open a network for the CPU, optimized once and kept.

    A cache that cannot be written, or an entry that is damaged, only costs time.

    Parameters
    ----------
    path : Path
        The network.
    make_options : callable
        Gives new session options.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    Exception
        What ONNX Runtime raises if the network cannot be loaded.
    """
    from onnxruntime import GraphOptimizationLevel, InferenceSession

    folder = entry_folder(path)
    if folder is not None and is_intact(folder):
        options = make_options()
        options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            session = InferenceSession(str(folder / MODEL), options, providers=_CPU)
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            logger.debug("%s cannot be loaded: %s", folder, error)
        else:
            with contextlib.suppress(OSError):
                os.utime(folder)
            return session
    if folder is not None:
        with contextlib.suppress(Exception):  # whatever it is, the plain way comes next
            return _optimize(path, make_options(), folder)
    return InferenceSession(str(path), make_options(), providers=_CPU)


def entry_folder(path: Path) -> Path | None:
    """Return where a network's optimized form is kept; None if it has no place."""
    import onnxruntime

    try:
        cache = cache_folder()
    except RuntimeError:  # nobody knows the user's home
        return None
    try:
        if path.stat().st_size < _LEAST_FILE:
            return None
        source = file_sha256(path)
    except (OSError, InputError):
        return None
    depends = f"{FORMAT} {source} {onnxruntime.__version__} {sys.platform} {processor_kind()}"
    key = hashlib.sha256(depends.encode()).hexdigest()[:16]
    return cache / "optimized" / f"{short_stem(path)}-{key}"


def is_intact(folder: Path) -> bool:
    """Return whether an entry is there, whole and undamaged."""
    try:
        return (folder / COMPLETE).read_text(encoding="utf-8") == _state(folder)
    except (OSError, ValueError):
        return False


def _state(folder: Path) -> str:
    """Return sizes and times of an entry's files: whatever damages one changes them."""
    states = [(folder / name).stat() for name in (MODEL, WEIGHTS)]
    return " ".join(f"{s.st_ino} {s.st_size} {s.st_mtime_ns} {s.st_ctime_ns}" for s in states)


def _optimize(path: Path, options: Any, folder: Path) -> Any:
    """Open a network, write down its optimized form and keep that."""
    import shutil

    from onnxruntime import InferenceSession

    temporary = working_folder("optimize")
    try:
        prefix = "session.optimized_model_external_initializers_"
        options.optimized_model_filepath = str(temporary / MODEL)
        options.add_session_config_entry(f"{prefix}file_name", WEIGHTS)
        options.add_session_config_entry(f"{prefix}min_size_in_bytes", _LEAST_BYTES)
        session = InferenceSession(str(path), options, providers=_CPU)
        for name in (MODEL, WEIGHTS):  # or a crash may leave a name without contents
            with (temporary / name).open("rb") as file:
                os.fsync(file.fileno())
        (temporary / COMPLETE).write_text(_state(temporary), encoding="utf-8")
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        with contextlib.suppress(OSError):  # another process was faster
            temporary.rename(folder)
            _forget_oldest(folder.parent)
        return session
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _forget_oldest(parent: Path) -> None:
    import shutil

    entries = [(entry.stat().st_mtime, entry) for entry in parent.iterdir()]
    for _, entry in sorted(entries)[:-_MOST_KEPT]:
        shutil.rmtree(entry, ignore_errors=True)
