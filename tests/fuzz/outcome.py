"""What came of one file, what it cost, and what may come of it."""

import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

DONE, REFUSED, FAULT = "done", "refused", "fault"
# Limits of one file: memory beyond the picture itself, and processor time; a process that has taken
# three times that is ended. By the clock it has PATIENCE: where others have precedence, the little
# work of one file takes minutes.
MOST_MEGABYTES, MOST_SECONDS, PATIENCE = 2000.0, 10.0, 900.0


@dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Attributes
    ----------
    kind : {'done', 'refused', 'fault'}
    message : str
        Of the refusal, or what was wrong.
    megabytes : float
        Memory that it took at its peak, beyond what the process had before and the picture needs.
    seconds : float
        Processor time.
    """

    kind: str
    message: str = ""
    megabytes: float = 0.0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def judged(self) -> "Outcome":
        """Return the outcome, a fault if it cost more than it may, or if its message is no line."""
        if self.kind == FAULT:
            return self
        if self.megabytes > MOST_MEGABYTES:
            return replace(self, kind=FAULT, message=f"{self.megabytes:.0f} MB: {self.message}")
        if self.seconds > MOST_SECONDS:
            return replace(self, kind=FAULT, message=f"{self.seconds:.1f} s: {self.message}")
        if self.kind == REFUSED and (fault := message_fault(self.message)):
            return replace(self, kind=FAULT, message=f"{fault}: {self.message!r}")
        return self


class Watch:
    """Tells when a process has had enough time.

    Parameters
    ----------
    pid : int
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._begin, self._used = time.monotonic(), processor_seconds(pid)

    @property
    def over(self) -> bool:
        """Whether it takes too long, by the clock or by the processor's time."""
        if time.monotonic() - self._begin > PATIENCE:
            return True
        return processor_seconds(self._pid) - self._used > 3 * MOST_SECONDS


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has taken; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def message_fault(message: str) -> str:
    """Return what is wrong with a line for users, nothing if it is fine."""
    if not message or "\n" in message:
        return "not one line"
    if len(message) > 1000:
        return "a very long line"
    if "Traceback" in message or ".tmp" in message or "object at 0x" in message:
        return "a line of internals"
    return ""
