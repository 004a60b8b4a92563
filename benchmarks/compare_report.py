"""What `benchmarks.compare` prints: its two sides, their tables, the machine they ran on."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import cv2
import numpy as np

Times = dict[str, list[float]]


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    Attributes
    ----------
    name : str
        For the table's head.
    folder : Path
        Its checkout.
    python : str
        Its interpreter.
    config : Path
        Its configuration.
    variables : mapping
        Environment variables of its processes.
    """

    name: str
    folder: Path
    python: str
    config: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Environment of its processes: imports come from its checkout."""
        return {**os.environ, **self.variables, "PYTHONPATH": str(self.folder)}


def table(title: str, sides: Sequence[Side], found: Sequence[Times]) -> str:
    """Return one table as Markdown."""
    heads = [f"{side.name}: fastest (median), ms" for side in sides]
    ratios = ["ratio, fastest", "ratio, median"] if len(sides) > 1 else []
    columns = ["", *heads, *ratios]
    lines = [f"### {title}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name in found[0]:
        values = [times.get(name) for times in found]
        cells = [
            "" if one is None else f"{1e3 * min(one):.2f} ({1e3 * median(one):.2f})"
            for one in values
        ]
        if len(sides) > 1:
            ours, theirs = values
            cells += (
                ["", ""]
                if ours is None or theirs is None
                else [f"{min(theirs) / min(ours):.2f}", f"{median(theirs) / median(ours):.2f}"]
            )
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


def growth_table(found: Mapping[str, Sequence[float]], *, cpu: bool) -> str:
    """Return as Markdown how times in seconds grow: one thread, two threads, by step and size."""
    head = f"least {'processor time' if cpu else 'time'}, ms"
    lines = ["### How the time grows", "", f"| {head} | one thread | two threads |"]
    lines.append("|---" * 3 + "|")
    for name in sorted(found, key=_by_step):
        lines.append(f"| {name} | {' | '.join(f'{1e3 * value:.2f}' for value in found[name])} |")
    return "\n".join(lines)


def _by_step(name: str) -> tuple[str, float]:
    """Sort by step, then by the number in what comes last."""
    step, _, last = name.rpartition(", ")
    return step, float(last.split()[0])


def machine() -> str:
    """Return processor, cores, versions, and how busy it is."""
    import onnxruntime

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")

    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        processor = names[0] if names else processor
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()}; Python "
        f"{platform.python_version()}, NumPy {np.__version__}, OpenCV {cv2.__version__}, "
        f"ONNX Runtime {onnxruntime.__version__}; load when it began: {load:.1f}"
    )
