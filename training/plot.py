"""Draw the curves of one or several training runs.

``python -m training.plot runs/mb05 runs/mb05_vdc --out curves.png``
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from tddfa.cli import run_main
from tddfa.errors import InputError
from training.regressor.logbook import read_log

logger = logging.getLogger(__name__)

PANELS = (
    ("loss", "loss", True),
    ("val_nme", "NME of held-out crops, %", False),
    ("val_openings", "error across lids and lips, px", False),
    ("learning_rate", "learning rate", False),
    ("samples_per_second", "samples per second", False),
    ("gradient", "norm of the gradient", True),
)


def draw_curves(runs: Sequence[Path], target: Path) -> None:
    """Draw the logs of runs (folders with ``log.csv``) over the number of samples.

    Raises
    ------
    InputError
        If a folder has no log or it holds no line.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(2, 3)
    for run in runs:
        path = run / "log.csv"
        rows = read_log(path) if path.is_file() else []
        if not rows:
            raise InputError(f"'{path}': expected the log of a run")
        for axes, (column, _, _) in zip(grid.flat, PANELS, strict=True):
            points = [(row["samples"], row[column]) for row in rows if column in row]
            if points:
                samples, values = zip(*points, strict=True)
                axes.plot(samples, values, label=run.name, marker="." if len(points) < 30 else None)
    for axes, (_, title, logarithmic) in zip(grid.flat, PANELS, strict=True):
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("samples", fontsize=8)
        axes.grid(alpha=0.3)
        if logarithmic and axes.lines:
            axes.set_yscale("log")
    grid[0, 0].legend(fontsize=8)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.plot", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs")
    parser.add_argument("--out", type=Path, help="picture (default: curves.png in the first run)")
    args = parser.parse_args(argv)
    target = args.out or args.runs[0] / "curves.png"
    draw_curves(args.runs, target)
    logger.info("wrote %s", target)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
