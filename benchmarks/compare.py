"""Ours and any checkout of the reference, step by step and as whole processes, in alternating runs.

``python -m benchmarks.compare --reference 3DDFA_V2 --clips clip.mp4 --out docs/speed_table.md``

Each side runs with its own Python in its own processes (``--reference_python`` for an environment
in which the reference still works) on the reference's weights and face model, which are read from
its checkout. Ratios are the reference's time over ours: fastest over fastest, median over median.
Without ``--reference`` ours are printed alone. An older checkout of ours has the reference's names,
too, and goes as well; ``--reference_name`` says so in the tables' heads. ``--mediapipe PYTHON
--task face_landmarker.task`` puts MediaPipe's face mesh beside our tracker.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.compare_report import Side, Times, growth_table, machine, table
from tddfa.arguments import positive_int
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import atomic_write
from tddfa.io.pictures import imread, imwrite

ROOT = Path(__file__).resolve().parent.parent
STEPS = Path(__file__).with_name("compare_steps.py")
PORTRAIT = ROOT / "examples" / "inputs" / "astronaut.png"
OPTIONS = ("2d_sparse", "2d_dense", "3d", "depth", "pncc", "uv_tex", "pose", "ply", "obj")
DRAWN = ("render", "pncc", "uv_tex", "pose")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reference", type=Path, metavar="FOLDER", help="its checkout")
    parser.add_argument("--reference_name", default="reference", help="for the tables' heads")
    parser.add_argument("--reference_python", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--reference_config", default="configs/mb05_120x120.yml")
    parser.add_argument("-c", "--config", help="ours (default: the reference's weights if given)")
    parser.add_argument("--pictures", nargs="*", type=Path, help="default: the portrait, two sizes")
    parser.add_argument("--clips", nargs="*", type=Path, default=[], help="for the video demos")
    parser.add_argument("--faces", nargs="*", type=positive_int, default=[1, 3, 8])
    parser.add_argument("--rounds", type=positive_int, default=5, help="alternating runs")
    parser.add_argument("--repeats", type=positive_int, default=20, help="of a step in a run")
    parser.add_argument("--processes", action="store_true", help="whole processes, too")
    parser.add_argument(
        "--growth", action="store_true", help="how ours grows with faces, pixels and threads"
    )
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="processor time of the steps, of all threads: for a machine that others use",
    )
    parser.add_argument("--mediapipe", metavar="PYTHON", help="an interpreter that has mediapipe")
    parser.add_argument("--task", type=Path, help="MediaPipe's face_landmarker.task")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the tables, as Markdown")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = parse_args(argv)
    if args.mediapipe and not args.task:
        raise InputError("--mediapipe: expected --task face_landmarker.task as well")
    sides = make_sides(args)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = [path.resolve() for path in args.pictures or _portraits(folder)]
        title = "Steps, processor time" if args.cpu else "Steps"
        parts = [machine(), table(title, sides, steps(args, sides, pictures))]
        if args.processes:
            parts.append(table("Whole processes", sides, processes(args, sides, pictures, folder)))
        if args.clips:
            parts.append(table("Video demos", sides, videos(args, sides, folder)))
        if args.mediapipe:
            parts.append(table("Tracking, one face", *tracking(args, folder)))
        if args.growth:
            parts.append(growth(args, sides[0], folder))
    text = "\n\n".join(parts) + "\n"
    sys.stdout.write(text)
    if args.out is not None:
        with atomic_write(args.out, "w") as file:
            file.write(text)
    return 0


def make_sides(args: argparse.Namespace) -> list[Side]:
    """Return ours, and the reference if there is one."""
    if args.reference is None:
        config = ROOT / (args.config or "configs/mb05_120x120.yml")
        return [Side("ours", ROOT, sys.executable, config)]
    root = args.reference.resolve()
    theirs = root / args.reference_config
    if not theirs.is_file():
        raise InputError(f"--reference '{args.reference}': expected a checkout with {theirs.name}")
    config = ROOT / (args.config or "configs/basel_mb05.yml")
    return [
        Side("ours", ROOT, sys.executable, config, {"TDDFA_ASSETS": str(root)}),
        Side(args.reference_name, root, args.reference_python, theirs),
    ]


def steps(args: argparse.Namespace, sides: Sequence[Side], pictures: Sequence[Path]) -> list[Times]:
    """Return each side's seconds per step, of all rounds."""
    request = {
        "pictures": [str(path) for path in pictures],
        "faces": args.faces,
        "rounds": args.repeats,
        "cpu": args.cpu,
    }
    found: list[Times] = [{} for _ in sides]
    for _ in range(args.rounds):
        for side, times in zip(sides, found, strict=True):
            for name, values in run_steps(side, request).items():
                times.setdefault(name, []).extend(values)
    return found


def run_steps(side: Side, request: dict[str, Any]) -> Times:
    """Run the steps of one side in a process of its own."""
    done = subprocess.run(
        [side.python, str(STEPS)],
        input=json.dumps(request | {"config": str(side.config)}),
        cwd=side.folder,
        env=side.environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["nothing was printed"]
        raise InputError(f"{side.name} ({side.folder}): its steps failed: {lines[-1]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def processes(
    args: argparse.Namespace, sides: Sequence[Side], pictures: Sequence[Path], folder: Path
) -> list[Times]:
    """Return seconds of ``demo.py`` for every output and picture, nine outputs together at the end.

    The reference makes one output a run, so nine runs stand for the nine.
    """
    found: list[Times] = [{} for _ in sides]
    for _ in range(args.rounds):
        for picture in pictures:
            label = f"{picture.stem}"
            for side, times in zip(sides, found, strict=True):
                total = 0.0
                for option in OPTIONS:
                    words = ["demo.py", "-f", str(picture), "-o", option, "--onnx"]
                    words += ["--show_flag", "false", "-c", str(side.config)]
                    seconds, _ = run_process(side, words)
                    total += seconds
                    times.setdefault(f"`-o {option}`, {label}", []).append(seconds)
                times.setdefault(f"nine runs, {label}", []).append(total)
            words = ["demo.py", "-f", str(picture), "-o", "all", "--onnx", "--show_flag", "false"]
            words += ["-c", str(sides[0].config), "--out", str(folder / "all")]
            seconds, _ = run_process(sides[0], words)
            found[0].setdefault(f"nine outputs in one run, {label}", []).append(seconds)
            for times in found[1:]:
                nine = times[f"nine runs, {label}"][-1]
                times.setdefault(f"nine outputs in one run, {label}", []).append(nine)
    return found


def videos(args: argparse.Namespace, sides: Sequence[Side], folder: Path) -> list[Times]:
    """Return seconds of the video demos, as processes."""
    found: list[Times] = [{} for _ in sides]
    for _ in range(args.rounds):
        for clip in args.clips:
            for demo in ("demo_video.py", "demo_video_smooth.py"):
                for option in ("2d_sparse", "3d"):
                    for side, times in zip(sides, found, strict=True):
                        words = [demo, "-f", str(clip.resolve()), "-o", option, "--onnx"]
                        words += ["-c", str(side.config)]
                        if side.name == "ours":  # the reference follows one face
                            words += ["--faces", "one", "--out", str(folder / "clip.mp4")]
                        seconds, _ = run_process(side, words)
                        name = f"`{demo} -o {option}`, {clip.stem}"
                        times.setdefault(name, []).append(seconds)
    return found


def run_process(side: Side, words: Sequence[str]) -> tuple[float, float]:
    """Run a script of one side; return seconds and the largest size in MB so far."""
    start = time.perf_counter()
    done = subprocess.run(
        [side.python, *words], cwd=side.folder, env=side.environment, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise InputError(f"{side.name}: {' '.join(words)}: {_reason(done.stderr)}")
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _reason(stderr: str) -> str:
    """Return the line that names the error; messages of MediaPipe's run over dozens of lines."""
    lines = stderr.strip().splitlines() or ["nothing was printed"]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|error)\b", line)]
    return (named or lines)[-1]


def tracking(args: argparse.Namespace, folder: Path) -> tuple[list[Side], list[Times]]:
    """Return our tracker's and MediaPipe's seconds per frame on the same 720p frames."""
    from benchmarks.video import crowd

    frames = folder / "frames.npy"
    np.save(frames, np.stack(list(crowd(1, 120))))
    ours = Side("ours", ROOT, sys.executable, ROOT / "configs/mb1_120x120.yml")
    other = Side("MediaPipe", ROOT, args.mediapipe, ours.config)
    found: list[Times] = [{}, {}]
    theirs = {"mesh": "192 px mesh", "task": "256 px task"}
    for _ in range(args.rounds):
        mine = {
            width: _track(ours, "ours", [str(frames), str(ROOT / f"configs/{name}_120x120.yml")])
            for width, name in (("x1.0", "mb1"), ("x0.5", "mb05"))
        }
        for which, title in theirs.items():
            times = _track(other, which, [str(frames), str(args.task.resolve())])
            for width, own in mine.items():
                row = f"{width}; MediaPipe's {title}"
                found[0].setdefault(row, []).extend(own)
                found[1].setdefault(row, []).extend(times)
    return [ours, other], found


def _track(side: Side, which: str, words: Sequence[str]) -> list[float]:
    script = str(Path(__file__).with_name("compare_tracking.py"))
    done = subprocess.run(
        [side.python, script, which, *words],
        cwd=ROOT,
        env=side.environment if which == "ours" else None,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise InputError(f"{side.name}: tracking failed: {_reason(done.stderr)}")
    return [float(value) for value in json.loads(done.stdout.splitlines()[-1])]


def growth(args: argparse.Namespace, side: Side, folder: Path) -> str:
    """Return how our times grow with faces and with pixels, on one thread and on two."""
    portrait = imread(PORTRAIT)
    path = folder / "portrait.png"
    found: dict[str, list[float]] = {}
    for threads in (1, 2):
        imwrite(path, portrait)
        request: dict[str, Any] = {"pictures": [str(path)], "threads": threads, "cpu": args.cpu}
        request |= {"faces": [1, 2, 4, 8, 16, 32], "rounds": args.repeats}
        for name, values in run_steps(side, request).items():
            if "face" in name and ("regression" in name or "reconstruction" in name):
                found.setdefault(name.rsplit(",", 1)[0], []).append(min(values))
        for pixels in (0.3, 1, 3, 12, 48):
            scale = (pixels * 1e6 / portrait[..., 0].size) ** 0.5
            large = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            imwrite(path, np.asarray(large, np.uint8))
            request |= {"faces": [1], "rounds": max(3, args.repeats // 4)}
            for name, values in run_steps(side, request).items():
                if name.startswith(("detection", "whole", *DRAWN)):
                    label = f"{name.rsplit(',', 1)[0]}, {pixels} MP"
                    found.setdefault(label, []).append(min(values))
    return growth_table(found, cpu=args.cpu)


def _portraits(folder: Path) -> list[Path]:
    """Return the portrait as it is, and as a larger picture."""
    portrait = imread(PORTRAIT)
    large = cv2.resize(portrait, (1600, 1600), interpolation=cv2.INTER_CUBIC)
    imwrite(folder / "portrait_512.png", portrait)
    imwrite(folder / "portrait_1600.png", np.asarray(large, np.uint8))
    return [folder / "portrait_512.png", folder / "portrait_1600.png"]


if __name__ == "__main__":
    sys.exit(run_main(main))
