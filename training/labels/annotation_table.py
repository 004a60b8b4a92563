"""Read a table of hand-annotated photos: file, x0, y0, … x67, y67; photo pixels, y down."""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError


def read_landmark_table(table: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Return the points (n, 2, 68) of each photo's n annotated faces, in the table's order.

    Raises
    ------
    InputError
        If the table is missing or malformed.
    """
    faces: dict[str, list[list[list[float]]]] = {}
    try:
        with table.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                points = [[float(row[f"{axis}{k}"]) for k in range(68)] for axis in "xy"]
                faces.setdefault(row["file"], []).append(points)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"'{table}': expected columns file, x0, y0, … x67, y67") from error
    return {name: np.array(points, np.float32) for name, points in faces.items()}
