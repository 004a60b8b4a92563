"""A log that a person can plot: one line per so many steps, appended when a run goes on."""

import csv
from pathlib import Path

COLUMNS = (
    "step", "samples", "seconds", "learning_rate", "samples_per_second", "loader_share", "loss",
    "distance", "vdc", "fwpdc", "joint", "parameters", "openings", "landmarks", "blendshapes",
    "gradient", "branch", "branch_vdc", "boxes", "scores", "val_vdc", "val_nme", "val_openings",
)  # fmt: skip


class Logbook:
    """CSV log of a run.

    Parameters
    ----------
    path : Path
    step : int
        Where the run goes on: later lines, of steps that were lost, are dropped.
    """

    def __init__(self, path: Path, step: int = 0) -> None:
        self.path = path
        rows = [row for row in read_log(path) if row["step"] <= step] if path.exists() else []
        self.seconds = rows[-1]["seconds"] if rows else 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def write(self, **values: float) -> None:
        """Append a line; columns that are not given stay empty."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            row = {key: f"{value:.6g}" for key, value in values.items()}
            csv.DictWriter(file, COLUMNS, extrasaction="ignore").writerow(row)


def read_log(path: Path) -> list[dict[str, float]]:
    """Return a log's lines without their empty columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {key: float(value) for key, value in row.items() if key and value}
            for row in csv.DictReader(file)
        ]
