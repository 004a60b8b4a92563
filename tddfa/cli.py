"""What all command lines share: logging, and errors as one line."""

import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable

from tddfa.errors import InputError

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_CLOSED_PIPE = 141  # 128 + SIGPIPE, as shells report it


def run_main(main: Callable[[], int]) -> int:
    r"""Run a command line's `main` and turn its failures into exit codes.

    Bad input ends as ``error: …`` on stderr and code 2; Ctrl-C as code 130; a reader that went away
    (``| head``) as code 141, without a word. Everything else is a defect and keeps its traceback.
    Characters that the terminal cannot show are printed as ``\xfc``.
    """
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
