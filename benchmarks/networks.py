"""Time the networks that ship in every backend, precision and number of threads.

    python -m benchmarks.networks --out networks.json

Each line is a network on one kind of input; all variants take turns, so that a machine that slows
down does so for all of them. CPU time is what all threads took, waiting in loops among it.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tddfa.arguments import positive_int
from tddfa.assets import find_asset
from tddfa.cli import run_main
from tddfa.network_files import QUANTIZED
from tddfa.onnx_session import open_network

REGRESSORS = ("mb1_120x120", "mb05_120x120")
DETECTOR = "FaceBoxesProd"
FACES = (1, 8)
# Calls of one variant before the next one takes its turn: the first find the caches cold.
_AT_A_TIME = 5
PICTURES = ((120, 120), (512, 512), (525, 1080))
VARIANTS = (
    ("onnx", "float32"),
    ("onnx", "int8"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
)


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one call.

    Attributes
    ----------
    network, input : str
    backend, precision : str
    threads : int
    fastest, median, cpu : float
        `cpu` is that of the fastest call.
    """

    network: str
    input: str
    backend: str
    precision: str
    threads: int
    fastest: float
    median: float
    cpu: float


def inputs(network: str) -> Iterator[tuple[str, Any]]:
    """Yield what a network is timed on, by name."""
    generator = np.random.default_rng(0)
    if network == DETECTOR:
        for height, width in PICTURES:
            blob = generator.random((1, 3, height, width), np.float32) * 255 - 128
            yield f"{width}x{height}", blob
        return
    for count in FACES:
        yield f"{count} face{'s' * (count > 1)}", generator.random((count, 3, 120, 120), np.float32)


def variants(network: str, threads: Sequence[int]) -> Iterator[tuple[str, str, int, Any]]:
    """Open a network in each way that there is here."""
    for backend, precision in VARIANTS:
        if backend == "openvino" and find_spec("openvino") is None:
            continue
        path = find_asset(f"weights/{network}.onnx")
        if precision == "int8":
            path = path.with_suffix(QUANTIZED)
            if not path.is_file():
                continue
        for count in threads:
            try:
                opened = open_network(
                    path,
                    "openvino" if backend == "openvino" else "onnx",
                    num_threads=count,
                    precision="bfloat16" if precision == "bfloat16" else "float32",
                )
            except ValueError as error:  # a processor without bfloat16
                print(f"{backend} {precision}: {error}")
                continue
            yield backend, precision, count, opened


def measure(network: str, threads: Sequence[int], repeats: int) -> list[Timing]:
    """Time all variants of a network in turn."""
    opened = list(variants(network, threads))
    timings = []
    for name, blob in inputs(network):
        found: list[list[tuple[float, float]]] = [[] for _ in opened]
        for *_, run in opened:
            run.run(None, {"input": blob})
        for _ in range(repeats):
            for (*_, run), row in zip(opened, found, strict=True):
                for _ in range(_AT_A_TIME):
                    begin, cpu = time.perf_counter(), time.process_time()
                    run.run(None, {"input": blob})
                    row.append((time.perf_counter() - begin, time.process_time() - cpu))
        for (backend, precision, count, _), row in zip(opened, found, strict=True):
            wall, cpu = (1e3 * value for value in min(row))
            middle = 1e3 * median(wall for wall, _ in row)
            timings.append(Timing(network, name, backend, precision, count, wall, middle, cpu))
    return timings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.networks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--threads", type=positive_int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=positive_int, default=30, help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the figures there (.json)")
    args = parser.parse_args(argv)
    timings: list[Timing] = []
    print(f"{'network':14}{'input':10}{'backend':10}{'in':10}threads   fastest    median       CPU")
    for network in (*REGRESSORS, DETECTOR):
        for row in measure(network, args.threads, args.repeats):
            print(
                f"{row.network:14}{row.input:10}{row.backend:10}{row.precision:10}"
                f"{row.threads:7}{row.fastest:10.2f}{row.median:10.2f}{row.cpu:10.2f}"
            )
            timings.append(row)
    if args.out:
        args.out.write_text(json.dumps([asdict(row) for row in timings], indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
