"""Many pictures by one command: pictures per second against the sum of the stages over the cores.

``python -m benchmarks.folder``: 512-pixel pictures made from the portrait in ``examples/inputs``.
"""

import argparse
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.label import make_pictures
from tddfa.arguments import positive_int
from tddfa.cli import run_main
from tddfa.commands import image
from tddfa.face_aligner import FaceAligner
from tddfa.io.pictures import imread
from tddfa.outputs import OutputSettings, output_names
from tddfa.side_by_side import available_cores


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", "--config", default="configs/mb05_120x120.yml")
    parser.add_argument("-o", "--opt", nargs="+", default=["3d"], choices=output_names())
    parser.add_argument("--pictures", type=positive_int, default=200)
    parser.add_argument("--size", type=positive_int, default=512, help="pixels")
    parser.add_argument("--rounds", type=positive_int, default=5)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = parse_args(argv)
    cores = available_cores()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pictures(folder / "in", args.pictures, args.size)
        aligner = FaceAligner(args.config, threads=1)
        rounds = []
        for _ in range(args.rounds):
            alone = stages(args, aligner, folder)
            rounds.append((cores * args.pictures / alone, command(args, folder, cores)))
    ideal, rate = (max(values) for values in zip(*rounds, strict=True))
    part = median(measured / possible for possible, measured in rounds)
    print(f"{args.pictures} pictures of {args.size} px, {' '.join(args.opt)}, {cores} cores")
    print(f"ideal (sum of stages over cores), fastest: {ideal:.1f} pictures/s")
    print(f"measured, fastest: {rate:.1f} pictures/s; part of the ideal, median: {part:.2f}")
    return 0


def stages(args: argparse.Namespace, aligner: FaceAligner, folder: Path) -> float:
    """Return the seconds of all stages, one after the other on one core."""
    paths = sorted((folder / "in").iterdir())
    settings = OutputSettings(n_threads=1)
    lines: list[str] = []
    start = time.perf_counter()
    for path in paths:
        targets = {option: folder / f"stage.{option}.jpg" for option in args.opt}
        image.process(path, imread(path), aligner, targets, settings, show=False, say=lines.append)
    return time.perf_counter() - start


def command(args: argparse.Namespace, folder: Path, threads: int) -> float:
    """Return the pictures per second that the command reports."""
    words = ["-f", str(folder / "in"), "-o", *args.opt, "--out", str(folder / "out"), "--onnx"]
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        image.main([*words, "-c", args.config, "--threads", str(threads)])
    return float(text.getvalue().splitlines()[-1].split()[2])


if __name__ == "__main__":
    sys.exit(run_main(main))
