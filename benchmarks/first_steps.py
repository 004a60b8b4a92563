"""Walk the first steps of a new user in a fresh copy with a fresh environment, and time each.

    python -m benchmarks.first_steps --clip clip.mp4

Prints a table as Markdown. What is measured is a copy of the last commit. A step that fails ends
the walk. The last row is the page of ``tddfa web``, from the command until the page is delivered.
"""

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tddfa.cli import run_main
from tddfa.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
PICTURE = "examples/inputs/astronaut.png"
PATIENCE = 120.0  # seconds


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes
    ----------
    goal : str
        What the user has after it.
    command : str
        As it is pasted, in the environment of the first step.
    makes : str
        File that must be there afterwards, relative to the copy.
    """

    goal: str
    command: str
    makes: str


def steps(clip: str) -> Iterator[Step]:
    """Yield the steps from a checkout to an animated head."""
    yield Step("environment", "python3 -m venv .venv && . .venv/bin/activate", ".venv/bin/python")
    yield Step("installed", "pip install .", ".venv/bin/tddfa")
    landmarks = f"tddfa image -f {PICTURE} -o 2d_sparse --out landmarks.jpg"
    yield Step("picture with landmarks", landmarks, "landmarks.jpg")
    yield Step("video with a mesh", f"tddfa video -f {clip} -o 3d --out mesh.mp4", "mesh.mp4")
    yield Step("head as GLB", f"tddfa image -f {PICTURE} -o glb --out head.glb", "head.glb")
    yield Step("packages of the page", 'pip install ".[web]"', ".venv/bin/gradio")


def activated(command: str, copy: Path) -> tuple[list[str], dict[str, str]]:
    """Return a command in the copy's environment, and its variables."""
    activate = copy / ".venv" / "bin" / "activate"
    first = f". {shlex.quote(str(activate))}; " if activate.exists() else ""
    variables = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    return ["bash", "-c", first + command], variables | {"XDG_CACHE_HOME": str(copy / "cache")}


def run(step: Step, copy: Path) -> float:
    """Run a step in the copy and return its seconds.

    Raises
    ------
    InputError
        If the command fails, or what it should make is not there.
    """
    command, variables = activated(step.command, copy)
    begin = time.perf_counter()
    done = subprocess.run(
        command, cwd=copy, env=variables, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode or not (copy / step.makes).exists():
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise InputError(f"'{step.command}': expected {step.makes}, got: {last}")
    return seconds


def page_is_delivered(address: str, server: "subprocess.Popen[bytes]") -> bool:
    """Wait for a page; return whether it came before the server ended, or patience did."""
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end and server.poll() is None:
        try:
            with urlopen(address, timeout=PATIENCE) as page:
                page.read()
                return True
        except OSError:
            time.sleep(0.2)
    return False


def serve(port: int, copy: Path) -> float:
    """Start ``tddfa web`` and return the seconds until its page is delivered.

    Raises
    ------
    InputError
        If that takes more than two minutes.
    """
    command, variables = activated(f"exec tddfa web --port {port}", copy)
    begin = time.perf_counter()
    told = copy / "web.log"
    with (
        told.open("wb") as log,
        subprocess.Popen(command, cwd=copy, env=variables, stdout=log, stderr=log) as server,
    ):
        try:
            if page_is_delivered(f"http://127.0.0.1:{port}", server):
                return time.perf_counter() - begin
        finally:
            server.terminate()
    last = (told.read_text(encoding="utf-8", errors="replace").strip() or "nothing").splitlines()[
        -1
    ]
    raise InputError(f"'tddfa web': expected a page at port {port}, it said: {last}")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first_steps",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clip", type=Path, default=ROOT / "examples" / "inputs" / "clip.mp4")
    parser.add_argument("--port", type=int, default=7861, help="of the page (%(default)s)")
    args = parser.parse_args(argv)
    if not args.clip.is_file():
        raise InputError(f"--clip: expected a video, there is no '{args.clip}'")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
        shutil.copy(args.clip, copy / "clip.mp4")
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {sys.platform}\n")
        print("| you have | command | s | since the start, s |\n|---|---|---|---|")
        total = 0.0
        for step in steps("clip.mp4"):
            seconds = run(step, copy)
            total += seconds
            row = f"| {step.goal} | `{step.command}` | {seconds:.1f} | {total:.0f} |"
            print(row, flush=True)
        seconds = serve(args.port, copy)
        total += seconds
        print(f"| page with a 3D viewer | `tddfa web --open` | {seconds:.1f} | {total:.0f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
