"""What is told of a video while it is worked on, and in the end."""

import sys

from tddfa.frame import Frame
from tddfa.video.job import Summary, VideoJob


def report(job: VideoJob, summary: Summary) -> str:
    """Return what became of a video, as lines to print."""
    parts = [f"{summary.frames} frames"]
    if summary.skipped:
        parts.append(f"{summary.skipped} damaged ones skipped")
    if summary.damaged:
        parts.append(f"{summary.damaged} damaged in part")
    if summary.missing:
        parts.append(f"{_count(summary.missing, 'number')} missing")
    parts.append(f"{_count(len(summary.ids), 'face')} in {summary.with_face} frames")
    lines = [f"{job.source}: {', '.join(parts)}"]
    if summary.leaps:
        times = _count(summary.leaps, "time")
        lines.append(f"  its clock leaps {times}: the pictures follow each other there")
    lines.append(f"  {job.option} -> {job.target}")
    if job.records:
        lines.append(f"  parameters -> {job.records}")
    lines += [f"  head -> {path}" for path in summary.animations]
    return "\n".join(lines)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


class Progress:
    """Progress bar with frames per second and number of faces, where somebody can see it."""

    def __init__(self, total: int | None) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, unit="frame", disable=None)

    def __call__(self, frame: Frame) -> None:
        """Count a frame."""
        self._bar.set_postfix(faces=len(frame.faces), refresh=False)
        self._bar.update()

    def write(self, text: str) -> None:
        """End the bar and print a text."""
        self._bar.close()
        sys.stdout.write(text + "\n")

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
