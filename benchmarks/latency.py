"""Time every step and output of the pipeline, in one process. Run it on an idle machine.

`benchmarks.compare` times them beside the reference's, or beside another version's.
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tddfa.arguments import add_model_arguments, positive_int
from tddfa.cli import run_main
from tddfa.face_aligner import FaceAligner
from tddfa.frame import Frame
from tddfa.io.pictures import imread
from tddfa.make_output import make_output
from tddfa.outputs import OUTPUTS, OutputSettings
from tddfa.pipelines import build_pipeline


@dataclass(frozen=True)
class Timing:
    """Durations of one step.

    Attributes
    ----------
    name : str
        Step.
    median, fastest : float
        Milliseconds.
    """

    name: str
    median: float
    fastest: float

    def line(self) -> str:
        """Return a line to print."""
        return f"{self.name:<34}{self.median:>9.2f}{self.fastest:>9.2f}"


def measure(name: str, call: Callable[[], Any], repeats: int, per: int = 1) -> Timing:
    """Call once to warm up, then `repeats` times; times are divided by `per`."""
    call()
    durations = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        durations.append((time.perf_counter() - start) * 1e3 / per)
    return Timing(name, median(durations), min(durations))


def steps(pipeline: FaceAligner, image: Any, repeats: int, threads: int) -> list[Timing]:
    """Time detection, regression, reconstruction, and each output in memory or to a file."""
    faces = pipeline(image)
    if not faces:
        raise SystemExit("the picture has no face to time")
    aligner, n = pipeline.aligner, len(faces)
    boxes = np.stack([np.append(face.box, face.score) for face in faces])
    params = [face.param for face in faces]
    rois = [face.roi_box for face in faces]
    width = aligner.config.widen_factor
    timings = [
        measure("detection", lambda: pipeline.detector.detect(image), repeats),
        measure(f"regression x{width}, per face", lambda: aligner(image, boxes), repeats, per=n),
        measure(f"regression x{width}, one face alone", lambda: aligner(image, boxes[:1]), repeats),
        measure(
            "sparse reconstruction, per face",
            lambda: aligner.recon_vers(params, rois),
            repeats,
            per=n,
        ),
        measure(
            "dense reconstruction, per face",
            lambda: aligner.recon_vers(params, rois, dense_flag=True),
            repeats,
            per=n,
        ),
        measure(
            "dense reconstruction, one face",
            lambda: aligner.recon_vers(params[:1], rois[:1], dense_flag=True),
            repeats,
        ),
    ]
    frame, settings = Frame.still(image, faces), OutputSettings(n_threads=threads)
    _ = frame.vertices
    with tempfile.TemporaryDirectory() as folder:
        for option, output in OUTPUTS.items():
            path = None if output.draw else Path(folder) / f"x{output.suffix}"

            def call(option: str = option, path: Path | None = path) -> None:
                make_output(option, frame, path, settings)

            timings.append(measure(option, call, repeats))

    def whole() -> None:
        make_output("3d", Frame.still(image, pipeline(image)), settings=settings)

    timings.append(measure("whole -o 3d call", whole, repeats))
    return timings


def process(args: argparse.Namespace, picture: Path, repeats: int) -> Timing:
    """Time ``demo.py -o 3d`` from start to exit."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "demo.py", "-f", str(picture), "-o", "3d", "-c", args.config]
        command += ["--out", f"{folder}/x.jpg", "--show_flag", "false"]
        command += ["--onnx"] if args.onnx else []
        command += ["--assets", args.assets] if args.assets else []
        return measure(
            "process",
            lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL),
            repeats,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    parser.add_argument("-f", "--img_fp", default="examples/inputs/astronaut.png", metavar="FILE")
    parser.add_argument("-n", "--repeats", type=positive_int, default=30, help="(%(default)s)")
    parser.add_argument("--process", action="store_true", help="time the whole process, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    args = parser.parse_args(argv)
    logging.getLogger("tddfa.drawing.pose_box").setLevel(
        logging.WARNING
    )  # or it reports every repetition
    threads = args.threads or 2
    image = imread(args.img_fp)
    timings = steps(build_pipeline(args), image, args.repeats, threads)
    if args.process:
        timings.append(process(args, Path(args.img_fp), max(3, args.repeats // 5)))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    height, width = image.shape[:2]
    print(
        f"{args.img_fp} {width}x{height}, {'ONNX Runtime' if args.onnx else 'PyTorch'}, "
        f"{threads} threads for drawing, {os.cpu_count()} cores, load {load:.1f}"
    )
    print(f"{'ms':<34}{'median':>9}{'fastest':>9}")
    for timing in timings:
        print(timing.line())
    if args.json:
        record = {
            "picture": str(args.img_fp),
            "onnx": args.onnx,
            "threads": threads,
            "cores": os.cpu_count(),
            "load": load,
            "machine": platform.machine(),
            "timings": [vars(timing) for timing in timings],
        }
        args.json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
