"""Time a whole process from start to exit, and its peak memory: ``demo.py`` on a small picture.

    python -m benchmarks.start --checkout ../other --out start.json

With ``--checkout`` another checkout takes turns with this one. ``first`` is the run that finds the
user's cache empty, and fills it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tddfa.arguments import positive_int
from tddfa.cli import run_main

PICTURE = "examples/inputs/astronaut.png"


@dataclass(frozen=True)
class Run:
    """One process.

    Attributes
    ----------
    wall, cpu : float
        Seconds.
    peak : float
        Megabytes resident at the most.
    """

    wall: float
    cpu: float
    peak: float


def run(checkout: Path, arguments: Sequence[str], cache: str) -> Run:
    """Run ``demo.py`` of a checkout once, with a cache folder of its own."""
    local = checkout / ".venv" / "bin" / "python"
    command = [str(local) if local.exists() else sys.executable, "demo.py", *arguments]
    folders = dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA"), cache)
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=checkout, env={**os.environ, **folders}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"{checkout}: demo.py failed")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkout", type=Path, action="append", default=[])
    parser.add_argument("--repeats", type=positive_int, default=20, help="default: %(default)s")
    parser.add_argument("--picture", type=Path, default=Path(PICTURE), help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the figures there (.json)")
    parser.add_argument("arguments", nargs="*", default=["-o", "2d_sparse", "--onnx"])
    args = parser.parse_args(argv)
    checkouts = [Path().resolve(), *(path.resolve() for path in args.checkout)]
    with tempfile.TemporaryDirectory() as folder:
        target = ["--out", f"{folder}/x.jpg", "--show_flag", "false"]
        arguments = ["-f", str(args.picture.resolve()), *args.arguments, *target]
        caches = [f"{folder}/cache{number}" for number in range(len(checkouts))]
        rows = list(zip(checkouts, caches, strict=True))
        runs = [[run(checkout, arguments, cache)] for checkout, cache in rows]
        time.sleep(2)  # what has just been written is not remembered yet
        for number in range(args.repeats + 1):
            for found, (checkout, cache) in zip(runs, rows, strict=True):
                one = run(checkout, arguments, cache)
                if number:  # the first one remembers
                    found.append(one)
    print(f"{'':34}{'first':>8}{'fastest':>9}{'median':>8}{'CPU':>7} s{'peak':>6} MB")
    for (checkout, _), (first, *others) in zip(rows, runs, strict=True):
        walls = [one.wall for one in others]
        cpu, peak = (median(getattr(one, key) for one in others) for key in ("cpu", "peak"))
        name = str(checkout)[-32:]
        print(
            f"{name:34}{first.wall:8.3f}{min(walls):9.3f}{median(walls):8.3f}{cpu:7.3f}{peak:9.0f}"
        )
    if args.out:
        record = {
            str(c): [asdict(one) for one in found] for (c, _), found in zip(rows, runs, strict=True)
        }
        args.out.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
