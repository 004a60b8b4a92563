"""What all command lines share: logging, and errors as one line."""

import logging
import sys
from collections.abc import Callable

from tddfa.errors import InputError

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def run_main(main: Callable[[], int]) -> int:
    """Run a command line's `main` and turn its failures into exit codes.

    Bad input ends as ``error: …`` on stderr and code 2; Ctrl-C as code 130. Everything else is a
    defect and keeps its traceback.
    """
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
        return main()
    except InputError as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"error: {line}\n")
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return EXIT_INTERRUPTED
