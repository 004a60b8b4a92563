#!/usr/bin/env python3
"""Break important lines, one at a time, in a copy: each must be caught by the test that is named.

The lines are those of `mutant_table.py`. Needs a checkout that is built.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mutant_table import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(
    *(".*_cache", ".git", ".hypothesis", ".venv", "__pycache__", "*.egg-info"),
    *("build", "dist", "assets", "runs", "results"),
)
KERNELS = (".pyx", ".h")
PASSED, FAILED = 0, 1  # exit codes of pytest


def main(argv: Sequence[str] | None = None) -> int:
    """Try all mutants, or those whose words are named; return 1 if one survived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="only mutants described with one of these")
    args = parser.parse_args(argv)
    chosen = [m for m in MUTANTS if not args.words or any(word in m.what for word in args.words)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copy = Path(name) / "copy"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        if (ROOT.parent / "shared").is_dir():
            (copy.parent / "shared").symlink_to(ROOT.parent / "shared")
        code, told = run_tests(copy, sorted({mutant.test for mutant in chosen}))
        if code != PASSED:
            say(f"the tests fail without a mutant:\n{told}")
            return 1
        survivors = [mutant for mutant in chosen if not caught(copy, mutant)]
    say(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants were caught")
    return bool(survivors)


def say(text: str) -> None:
    """Print a line between those of other processes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def caught(copy: Path, mutant: Mutant) -> bool:
    """Break the line, run the test, mend the line."""
    path, original = copy / mutant.path, ROOT / mutant.path
    text = original.read_text(encoding="utf-8")
    assert text.count(mutant.line) == 1, f"{mutant.path}: expected once: {mutant.line}"
    path.write_text(text.replace(mutant.line, mutant.broken), encoding="utf-8")
    start = time.monotonic()
    if path.suffix in KERNELS:
        command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
        subprocess.run(command, check=True, cwd=copy, capture_output=True)
    code, told = run_tests(copy, [mutant.test])
    # With the times of the files, or kernels would be built of what is not there any more.
    places = original.parent.iterdir() if path.suffix in KERNELS else [original]
    for place in places:
        if place.is_file():
            shutil.copy2(place, copy / place.relative_to(ROOT))
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", told, re.MULTILINE)
    by = failed[1] if failed and code == FAILED else f"NOT CAUGHT (pytest: {code})"
    say(f"{mutant.what}: {by} ({time.monotonic() - start:.0f} s)")
    return code == FAILED


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Run tests until one fails; return pytest's exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
        check=False,
        cwd=copy,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done.returncode, done.stdout[-3000:]


if __name__ == "__main__":
    raise SystemExit(main())
