"""Handle of a `tests.fuzz.worker` process: asks, waits, and starts another where one died."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from tests.fuzz.outcome import FAULT, Outcome, Watch
from tests.fuzz.seeds import ROOT


class Worker:
    """A process that tries files; a context manager.

    Parameters
    ----------
    log : Path
        File for what it writes to stderr.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, kind: str, path: Path, folder: Path) -> Outcome:
        """Let it try a file; a crash or a hang is an outcome, too."""
        process = self.process or self._start()
        request = {"kind": kind, "path": str(path), "folder": str(folder)}
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        watch = Watch(process.pid)
        while not select.select([process.stdout], [], [], 1.0)[0]:
            if watch.over:
                self.close(signal.SIGKILL)
                return Outcome(FAULT, "it did not end")
        answer = process.stdout.readline()
        if answer:
            return Outcome(**json.loads(answer))
        self.process = None
        return Outcome(FAULT, f"the process ended with {process.wait()}: {self._last_words()}")

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.worker"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                bufsize=0,
            )
        return self.process

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:])

    def close(self, how: signal.Signals | None = None) -> None:
        """End the process."""
        if self.process is None:
            return
        assert self.process.stdin is not None and self.process.stdout is not None
        if how is not None:
            self.process.send_signal(how)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
