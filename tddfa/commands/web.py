"""Serve a page where pictures and clips can be tried, for this machine's browser."""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from tddfa.arguments import (
    add_detection_arguments,
    add_model_arguments,
    add_second_look_argument,
    positive_int,
)
from tddfa.errors import InputError
from tddfa.web.limits import Limits

PROG = "tddfa web"
_MOST_PORT = 65_535


def parse_args(argv: Sequence[str] | None, prog: str) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        f"  {prog} --open\n"
        f"  {prog} --host 0.0.0.0 --port 8080\n"
        "exit codes: 0 ended by Ctrl-C, 2 bad input",
    )
    limits = Limits()
    group = parser.add_argument_group("page")
    group.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen at; 0.0.0.0 lets other machines in (default: %(default)s)",
    )
    group.add_argument(
        "--port", type=port, metavar="N", help="port (default: the first free one from 7860 on)"
    )
    group.add_argument("--open", action="store_true", help="open the page in the browser")
    group.add_argument(
        "--upload_mb",
        type=positive_int,
        default=limits.upload_mb,
        metavar="N",
        help="megabytes of an upload at most (default: %(default)s)",
    )
    group.add_argument(
        "--clip_seconds",
        type=positive_int,
        default=limits.clip_seconds,
        metavar="N",
        help="of longer clips the beginning is worked on (default: %(default)s)",
    )
    add_model_arguments(parser, onnx=True)
    add_second_look_argument(add_detection_arguments(parser))
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command line and return its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    parse_args(words, prog)
    if find_spec("gradio") is None:
        raise InputError("tddfa web needs Gradio: pip install gradio")
    from tddfa.web.process import run_server

    return run_server(words)


def port(text: str) -> int:
    """Parse a port, for argparse."""
    value = positive_int(text)
    if value > _MOST_PORT:
        raise argparse.ArgumentTypeError(f"expected a port up to {_MOST_PORT}, got {text}")
    return value
