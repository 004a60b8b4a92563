"""A process that tries one file after the other: ``python -m tests.fuzz.worker``.

Reads lines ``{"kind", "path", "folder"}`` and answers each with a line of an `Outcome`. It lives in
a process of its own, so that a decoder that crashes takes nothing else along.
"""

import json
import os
import re
import sys
import time
import traceback
from pathlib import Path

from tddfa.errors import InputError
from tests.fuzz.outcome import DONE, FAULT, REFUSED, Outcome
from tests.fuzz.trials import TRIALS

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Address space: what would take more fails here, and not the machine.
_MOST_ADDRESSES = 24 << 30


def main() -> None:
    """Answer until there is nothing more to read."""
    _limit_addresses()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what the commands print
    for line in sys.stdin:
        request = json.loads(line)
        outcome = attempt(request["kind"], Path(request["path"]), Path(request["folder"]))
        answers.write(json.dumps(outcome.as_dict()) + "\n")


def attempt(kind: str, path: Path, folder: Path) -> Outcome:
    """Try one file and measure it."""
    before, start, size = reset_peak(), time.process_time(), 0
    try:
        size = TRIALS[kind](path, folder)
        end, message = DONE, ""
    except InputError as error:
        end, message = REFUSED, str(error)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        places = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
        end, message = FAULT, f"{type(error).__name__}: {str(error)[:300]} at {places}"
    seconds = time.process_time() - start
    return Outcome(end, message, peak() - before - size / 1e6, seconds)


def reset_peak() -> float:
    """Forget the process's peak memory, and return what it has now, in megabytes."""
    try:
        _RESET.write_text("5")
        return _status("VmRSS")
    except OSError:  # not on Linux: memory is not measured
        return 0.0


def peak() -> float:
    """Return the peak since then."""
    return _status("VmHWM")


def _status(name: str) -> float:
    try:
        match = re.search(rf"{name}:\s+(\d+) kB", _STATUS.read_text())
    except OSError:
        return 0.0
    return int(match[1]) * 1024 / 1e6 if match else 0.0


def _limit_addresses() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))


if __name__ == "__main__":
    main()
