#!/usr/bin/env python3
"""Build the kernels with AddressSanitizer and UndefinedBehaviorSanitizer, test and fuzz them.

In a temporary copy, with GCC on Linux. The first read or write beyond an array, overflow of an
integer or number that no integer can hold ends the process; then this script returns 1.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(
    *(".*_cache", ".git", ".hypothesis", ".venv", "__pycache__", "*.egg-info", "*.so", "*.pyd"),
    *("*.c", "build", "dist", "assets", "runs", "results"),
)
CHECKS = "address,undefined,float-cast-overflow"
FLAGS = f"-fsanitize={CHECKS} -fno-sanitize-recover=all -fno-omit-frame-pointer"
# As setup.py has them, and what takes their place: with lines in the reports, and no rearranging
# that could hide a fault.
OPTIMIZED, PLAIN = '["-O3", "-g0"]', '["-O1", "-g"]'
# Python keeps memory to its end, and asks for gigabytes where a test is about that.
ADDRESS_OPTIONS = "detect_leaks=0:allocator_may_return_null=1:handle_segv=0"
# No deadlines of single examples: everything is ten times as slow.
UNHURRIED = ("--hypothesis-profile=ci",)
# The tests of the kernels, by the folder or file.
TESTS = (
    "tests/Sim3DR",
    "tests/FaceBoxes/test_nms.py",
    "tests/tddfa/test_reconstruct.py",
    "tests/tddfa/drawing/test_sampling.py",
    "tests/tddfa/drawing/test_overlays.py",
    "tests/tddfa/drawing/test_landmark_picture.py",
    "tests/tddfa/export",
)
# PyTorch is not made for the sanitizers and slow with them, hence apart.
TORCH_TESTS = ("tests/training/cpu",)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=1000, help="of tests.fuzz.kernels (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--training", action="store_true", help="the training's kernels, too (needs PyTorch)"
    )
    parser.add_argument(
        "--prove",
        action="store_true",
        help="put a fault into a kernel first, which must be found",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Build, test, fuzz; return 1 if anything was found."""
    args = parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="sanitized-") as name:
        # Tests look for ../shared.
        copy = Path(name) / "copy"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        if (ROOT.parent / "shared").is_dir():
            (copy.parent / "shared").symlink_to(ROOT.parent / "shared")
        if args.prove:
            spoil(copy)
        build(copy)
        fuzz = ["-m", "tests.fuzz.kernels", "--rounds", str(args.rounds), "--seed", str(args.seed)]
        suites = [TESTS, *([TORCH_TESTS] if args.training else [])]
        pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *UNHURRIED]
        tests = [] if args.prove else [[*pytest, *suite] for suite in suites]
        failed = [command for command in [fuzz, *tests] if run(copy, command)]
    if args.prove:
        say("the fault was found" if fuzz in failed else "THE FAULT WAS NOT FOUND")
        return fuzz not in failed
    for command in failed:
        say(f"FAILED: python {' '.join(command)}")
    say("nothing was found" if not failed else "")
    return bool(failed)


def say(text: str) -> None:
    """Print a line between those of other processes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def spoil(copy: Path) -> None:
    """Let a kernel read one pixel beyond the picture."""
    path = copy / "tddfa" / "drawing" / "_sampling.h"
    text = path.read_text(encoding="utf-8")
    changed = text.replace("confined(x, (double)(width - 1))", "confined(x, (double)width)")
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def build(copy: Path) -> None:
    """Build the kernels in place, with checks."""
    setup = copy / "setup.py"
    text = setup.read_text(encoding="utf-8")
    assert OPTIMIZED in text, f"setup.py: expected {OPTIMIZED}"
    setup.write_text(text.replace(OPTIMIZED, PLAIN), encoding="utf-8")
    variables = os.environ | {"CC": "gcc", "CFLAGS": FLAGS, "LDFLAGS": FLAGS}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(command, check=True, cwd=copy, env=variables)


def library(name: str) -> str:
    """Return the path of one of GCC's libraries."""
    command = ["gcc", f"-print-file-name={name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def run(copy: Path, command: Sequence[str]) -> int:
    """Run Python with the sanitizers' libraries loaded first; return its exit code."""
    say(f"== python {' '.join(command)}")
    variables = os.environ | {
        "LD_PRELOAD": f"{library('libasan.so')}:{library('libstdc++.so')}",
        "ASAN_OPTIONS": ADDRESS_OPTIONS,
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(copy),
    }
    return subprocess.run(
        [sys.executable, *command], check=False, cwd=copy, env=variables
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
