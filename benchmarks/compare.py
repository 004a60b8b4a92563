"""Time a checkout of the reference, or an older one of ours, beside this one; print Markdown.

Both are driven by the names that the reference has (``FaceBoxes_ONNX``, ``TDDFA_ONNX``,
``utils.render`` …), each in a process of its own that stays alive: a step is timed in one, then in
the other, again and again, so that what else the machine does meets both. The whole process is
timed the same way. A step that a checkout lacks or fails in is a dash, with the reason below.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from tddfa.arguments import positive_int
from tddfa.cli import run_main
from tddfa.errors import InputError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORKER = HERE / "compare_worker.py"
PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime")
PROCESS_OUTPUTS = ("2d_sparse", "3d", "pncc", "ply")


@dataclass
class Side:
    """One of the two that are compared.

    Attributes
    ----------
    name : str
        Heading of its column.
    python, folder : str
        Interpreter, and the checkout in which it runs.
    times : dict
        Seconds of each repetition by step.
    failures : dict
        Why a step was left out, by step.
    """

    name: str
    python: str
    folder: Path
    times: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Worker:
    """A process that times steps of one side when asked to, a line of JSON each way."""

    def __init__(self, side: Side, settings: dict[str, Any]) -> None:
        self.side = side
        self.process = subprocess.Popen(
            [side.python, str(WORKER), str(side.folder), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=side.folder,
        )
        self.steps: list[str] = self._answer()["steps"]

    def time(self, step: str) -> None:
        """Time a step once, unless it failed before."""
        if step not in self.steps or step in self.side.failures:
            return
        assert self.process.stdin is not None
        self.process.stdin.write(step + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            self.side.failures[step] = answer["error"]
        else:
            self.side.times.setdefault(step, []).append(answer["seconds"])

    def close(self) -> None:
        """End the process."""
        self.process.communicate(timeout=60)

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise InputError(f"'{self.side.folder}': its process ended with an error, see above")
        answer: dict[str, Any] = json.loads(line)
        if "fatal" in answer:
            raise InputError(f"'{self.side.folder}': {answer['fatal']}")
        return answer


def time_steps(sides: Sequence[Side], settings: dict[str, Any], repeats: int) -> None:
    """Time all steps of all sides in turns; the first round warms up and does not count."""
    workers = [Worker(side, settings) for side in sides]
    try:
        for step in workers[0].steps:
            for number in range(repeats + 1):
                # Whoever is first finds other caches: take turns in that, too.
                for worker in workers if number % 2 else workers[::-1]:
                    worker.time(step)
            for side in sides:
                side.times[step] = side.times.get(step, [])[1:]
    finally:
        for worker in workers:
            worker.close()


def time_processes(
    sides: Sequence[Side], pictures: Sequence[Path], repeats: int, configs: dict[str, str]
) -> None:
    """Time ``demo.py --onnx`` from start to exit; the files it writes go where it puts them."""
    for picture in pictures:
        for option in PROCESS_OUTPUTS:
            step = f"process -o {option}, {picture.name}"
            for number in range(repeats + 1):
                for side in sides if number % 2 else sides[::-1]:
                    if step in side.failures:
                        continue
                    command = [side.python, "demo.py", "-f", str(picture), "-o", option, "--onnx"]
                    command += ["--show_flag", "false"]
                    command += ["-c", configs[side.name]] if side.name in configs else []
                    start = time.perf_counter()
                    done = subprocess.run(command, cwd=side.folder, capture_output=True, text=True)
                    seconds = time.perf_counter() - start
                    if done.returncode:
                        lines = done.stderr.strip().splitlines() or ["no message"]
                        side.failures[step] = lines[-1]
                    elif number:
                        side.times.setdefault(step, []).append(seconds)


def table(sides: Sequence[Side]) -> str:
    """Return the Markdown table: fastest and median of each side, and their ratios."""
    ours, others = sides[0], sides[1:]
    head = ["step", "ours, ms: fastest (median)"]
    for other in others:
        head += [f"{other.name}, ms: fastest (median)", "ratio of fastest", "of medians"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for step in dict.fromkeys(name for side in sides for name in side.times):
        mine = ours.times.get(step, [])
        cells = [step, _cell(mine)]
        for other in others:
            theirs = other.times.get(step, [])
            cells.append(_cell(theirs))
            both = bool(mine and theirs)
            cells.append(f"{min(theirs) / min(mine):.2f}" if both else "–")
            cells.append(f"{median(theirs) / median(mine):.2f}" if both else "–")
        lines.append(f"| {' | '.join(cells)} |")
    for side in sides:
        lines += [f"\n{side.name} left out {step}: {why}" for step, why in side.failures.items()]
    return "\n".join(lines)


def _cell(seconds: list[float]) -> str:
    if not seconds:
        return "–"
    return f"{min(seconds) * 1e3:.3g} ({median(seconds) * 1e3:.3g})"


def machine() -> str:
    """Return machine and versions, for above the table."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line for line in info.read_text("utf-8").splitlines() if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores{load}; {', '.join(versions)}."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reference", nargs="?", help="checkout with the reference's names")
    parser.add_argument("--name", default="reference", help="its name in the table (%(default)s)")
    parser.add_argument("--python", default=sys.executable, help="its interpreter (this one)")
    parser.add_argument("--config", help="its configuration (its default)")
    parser.add_argument("-c", "--our_config", help="our configuration (our default)")
    parser.add_argument("-f", "--img_fp", nargs="+", metavar="FILE", help="pictures with faces")
    parser.add_argument("-n", "--repeats", type=positive_int, default=20, help="(%(default)s)")
    parser.add_argument("--process", type=int, default=0, metavar="N", help="whole processes: runs")
    parser.add_argument("--growth", action="store_true", help="1-32 faces, 0.3-48 MP, 1-2 threads")
    args = parser.parse_args(argv)
    named = args.img_fp or [ROOT / "examples/inputs/astronaut.png"]
    pictures = [Path(path).resolve() for path in named]
    for path in pictures:
        if not path.is_file():
            raise InputError(f"'{path}': expected a picture")
    sides = [Side("ours", sys.executable, ROOT)]
    configs = {"ours": args.our_config} if args.our_config else {}
    if args.reference:
        folder = Path(args.reference).resolve()
        if not (folder / "TDDFA_ONNX.py").is_file():
            raise InputError(f"'{folder}': expected a checkout that has TDDFA_ONNX.py")
        sides.append(Side(args.name, args.python, folder))
        configs |= {args.name: args.config} if args.config else {}
    print(machine())
    for picture in pictures:
        for side in sides:
            side.times, side.failures = {}, {}
        with tempfile.TemporaryDirectory() as scratch:
            settings = {"picture": str(picture), "scratch": scratch, "growth": args.growth}
            settings["configs"] = {str(s.folder): configs.get(s.name) for s in sides}
            time_steps(sides, settings, args.repeats)
        print(f"\n{picture.name}:\n\n{table(sides)}", flush=True)
    if args.process:
        for side in sides:
            side.times, side.failures = {}, {}
        time_processes(sides, pictures, args.process, configs)
        print(f"\n{table(sides)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
