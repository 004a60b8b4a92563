"""What all command lines share: logging, and errors as one line."""

import atexit
import contextlib
import gc
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator

from tddfa.errors import InputError

_STDERR = 2
# Objects between two looks for cycles.
_ALLOCATIONS = 70_000
EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_CLOSED_PIPE = 141  # 128 + SIGPIPE, as shells report it


def run_main(main: Callable[[], int]) -> int:
    r"""Run a command line's `main` and turn its failures into exit codes.

    Bad input ends as ``error: …`` on stderr and code 2; Ctrl-C as code 130; a reader that went away
    (``| head``) as code 141, without a word. Everything else is a defect and keeps its traceback.
    Characters that the terminal cannot show are printed as ``\xfc``. What `main` imports by itself
    is imported faster, see `_rare_collections`.
    """
    with _libraries_silent(), _rare_collections():
        return _run(main)


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for cycles of objects a hundredth as often, and not at its end.

    Imports make hundreds of thousands of objects, none of which is garbage; looking at them again
    and again took a seventh of the time of a short run.
    """
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _run(main: Callable[[], int]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    for name in (
        "__main__",
        "FaceBoxes",
        "Sim3DR",
        "tddfa",
        "training",
    ):  # not libraries' loggers
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        try:
            return main()
        finally:  # also after --help, which ends the program
            sys.stdout.flush()
    except InputError as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"error: {line}\n")
        return EXIT_BAD_INPUT
    except BrokenPipeError:
        _forget_stdout()
        return EXIT_CLOSED_PIPE
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return EXIT_INTERRUPTED


def _forget_stdout() -> None:
    """Let what is still to be printed go nowhere, or Python complains about it at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def _libraries_silent() -> Iterator[None]:
    """Keep C libraries from adding lines of their own to stderr; what Python writes arrives.

    libjpeg, libpng and others write to file descriptor 2 about what we report in one line, or what
    does not matter. It leads nowhere meanwhile; `sys.stderr` writes to a copy of the real one.
    """
    before = sys.stderr
    real = False  # where there is none (pythonw), or it is no file
    if before is sys.__stderr__ and before is not None:
        with contextlib.suppress(OSError, ValueError):
            real = before.fileno() == _STDERR
    if not real:
        yield
        return
    before.flush()
    copy = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    # Never closed: loggers keep it.
    sys.stderr = os.fdopen(
        copy, "w", buffering=1, encoding=before.encoding, errors="backslashreplace", closefd=False
    )
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(copy, _STDERR)
        sys.stderr = before
