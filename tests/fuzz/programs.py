"""The demos as processes, as users start them, with one damaged file each."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tddfa.errors import InputError
from tddfa.io.pictures import imread
from tddfa.video.reader import VideoReader
from tests.fuzz.outcome import DONE, FAULT, REFUSED, Outcome, Watch
from tests.fuzz.seeds import ROOT

BAD_INPUT = 2
# ONNX Runtime's own, from 1.31 on: an identity for its telemetry, made when it is imported.
_FOREIGN = {".ses"}


def run_program(kind: str, path: Path, folder: Path) -> Outcome:
    """Run ``demo.py`` or ``demo_video.py`` on a file; all that it makes goes into `folder`.

    The memory is the process's at its peak, all of it.
    """
    out, rest = folder / "out", folder / "tmp"
    out.mkdir(), rest.mkdir()
    if kind == "picture":
        command = ["demo.py", "-f", path, "-o", "3d", "obj", "--texture", "--out", out]
        command += ["--json", out / "faces.json", "--show_flag", "false"]
    else:
        command = ["demo_video.py", "-f", path, "-o", "3d", "--out", out / "film.mp4"]
        command += ["--save_params", out / "film.npz"]
    printed, told = folder / "stdout", folder / "stderr"
    with printed.open("wb") as stdout, told.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *map(str, command), "--onnx", "--threads", "1"],
            cwd=ROOT,
            stdout=stdout,
            stderr=stderr,
            env=os.environ | {"TMPDIR": str(rest)},
            start_new_session=True,
        )
        code, megabytes, seconds = _wait(process)
    message = told.read_text(errors="replace").strip()
    if code is None:
        return Outcome(FAULT, "it did not end", megabytes, seconds)
    try:
        end, message = _judge(kind, code, message, out, rest)
    except (AssertionError, InputError, ValueError, OSError) as error:
        end, message = FAULT, f"{type(error).__name__}: {str(error)[:300]}"
    return Outcome(end, message, megabytes, seconds)


def _wait(process: subprocess.Popen[bytes]) -> tuple[int | None, float, float]:
    """Return exit code (None if it had to be killed), peak memory in MB and processor time."""
    watch, killed = Watch(process.pid), False
    while True:
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            break
        if not killed and watch.over:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            killed = True
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    code = None if killed else process.returncode
    return code, usage.ru_maxrss * 1024 / 1e6, usage.ru_utime + usage.ru_stime


def _judge(kind: str, code: int, told: str, out: Path, rest: Path) -> tuple[str, str]:
    """Return what came of a run; raise if something is amiss."""
    left = {path.name for path in rest.iterdir()} - _FOREIGN
    assert not left, f"temporary files left: {left}"
    assert "Traceback" not in told, told[-300:]
    made = sorted(out.iterdir())
    if code == BAD_INPUT:
        assert not made, f"left behind: {made}"
        assert told.splitlines()[-1].startswith("error: "), told
        return REFUSED, told.splitlines()[-1].removeprefix("error: ")
    assert code == 0, f"exit code {code}: {told[-300:]}"
    if kind == "picture":
        _check_pictures(out, made)
    else:
        assert [path.name for path in made] == ["film.mp4", "film.npz"], made
        with VideoReader(out / "film.mp4") as reader:
            assert sum(1 for _ in reader) and not reader.skipped
        with np.load(out / "film.npz", allow_pickle=False) as records:
            assert records.files
    return DONE, ""


def _check_pictures(out: Path, made: list[Path]) -> None:
    (record,) = json.loads((out / "faces.json").read_text())["pictures"]
    expected = {out / "faces.json", *map(Path, record["outputs"])}
    for mesh in [path for path in expected if path.suffix == ".obj"]:
        expected |= {mesh.with_suffix(".mtl"), mesh.with_suffix(".png")}
    assert set(made) == expected, f"made {made}, told of {sorted(expected)}"
    for path in made:
        assert path.stat().st_size, f"{path.name} is empty"
        if path.suffix in (".jpg", ".png"):
            imread(path)
