"""Hand-annotated points of photos, placed in the crops that were cut from them."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.pixel_frames import to_centers, to_edges
from training.dataset.batch import CANVAS, INPUT
from training.dataset.crops import SQUARES
from training.labels.annotation_table import read_landmark_table

FloatArray = npt.NDArray[np.floating]
# A crop belongs to the annotated face whose points fill its ROI like this; a crowd's neighbors,
# cut by the same square, are smaller, larger or off its middle.
LEAST_OVERLAP = 0.35


@dataclass(frozen=True)
class Annotations:
    """Annotated points of n crops.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
        Paths relative to the crops' folder.
    points : ndarray, shape (n, 68, 2), float64
        Pixels of the crop of 168 px, centers at integers, y down.
    """

    names: npt.NDArray[np.str_]
    points: npt.NDArray[np.float64]

    def of(self, names: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
        """Return the points (m, 68, 2) of other crops, NaN where there are none."""
        row = {name: i for i, name in enumerate(self.names.tolist())}
        found = np.full((len(names), 68, 2), np.nan)
        for i, name in enumerate(names.tolist()):
            if name in row:
                found[i] = self.points[row[name]]
        return found


def load_annotations(table: Path, crops: Path) -> Annotations:
    """Read a table of annotated photos for the crops that `crops.cut_faces` made of them.

    Parameters
    ----------
    table : Path
        See `read_landmark_table`; files are paths below the folder that was cut.
    crops : Path
        Folder of crops with ``squares.csv``.

    Raises
    ------
    InputError
        If one of both tables is missing or malformed.
    """
    faces = read_landmark_table(table)
    names, points = [], []
    squares = crops / SQUARES
    try:
        with squares.open(newline="", encoding="utf-8") as file:
            for name, photo, *numbers in csv.reader(file):
                left, top, width, height = (float(number) for number in numbers)
                scale = CANVAS / np.array([width, height])
                for face in faces.get(photo, ()):
                    placed = to_centers((to_edges(face.T) - [left, top]) * scale)
                    if _overlap(placed) >= LEAST_OVERLAP:
                        names.append(name)
                        points.append(placed)
    except (OSError, ValueError) as error:
        raise InputError(
            f"'{squares}': expected lines of crop, photo, left, top, width and height; "
            "made by training.prepare without --crops"
        ) from error
    return Annotations(np.array(names, str), np.array(points).reshape(-1, 68, 2))


def _overlap(points: FloatArray) -> float:
    """Return the IoU of the points' square ROI with the crop's middle."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    half = float((high - low).max()) * np.sqrt(2) / 2
    edge = (CANVAS - INPUT) / 2
    shared = np.minimum(middle + half, CANVAS - edge) - np.maximum(middle - half, edge)
    area = float(np.clip(shared, 0, None).prod())
    return area / ((2 * half) ** 2 + INPUT**2 - area)
