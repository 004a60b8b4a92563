"""The command ``tddfa``: pick one of the commands and hand it the rest of the line."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

import tddfa
from tddfa.cli import run_main
from tddfa.commands import COMMANDS

PROG = "tddfa"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of everything up to the command's name."""
    width = max(len(command.name) for command in COMMANDS)
    listing = "\n".join(f"  {command.name:<{width}}  {command.summary}" for command in COMMANDS)
    parser = argparse.ArgumentParser(
        prog=PROG,
        usage=f"{PROG} [-h] [--version] COMMAND …",
        description="3D dense face alignment: landmarks, meshes, pose, depth, PNCC, texture.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"commands:\n{listing}\n\n"
        f"'{PROG} COMMAND --help' lists a command's flags.\n"
        "exit codes: 0 done, 1 some of several files failed, 2 bad input, 130 interrupted",
    )
    parser.add_argument("--version", action="version", version=f"{PROG} {tddfa.__version__}")
    parser.add_argument(
        "command",
        metavar="COMMAND",
        choices=[command.name for command in COMMANDS],
        help="one of the commands below",
    )
    # Everything after the name is the command's own, its --help too.
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = build_parser()
    words = sys.argv[1:] if argv is None else list(argv)
    if not words:
        parser.print_help(sys.stderr)
        return 2
    args = parser.parse_args(words)
    (command,) = [command for command in COMMANDS if command.name == args.command]

    def run() -> int:
        code: int = import_module(command.module).main(args.arguments, f"{PROG} {command.name}")
        return code

    return run_main(run)
