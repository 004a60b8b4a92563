"""Records that people read: CSV and JSON Lines."""

import csv
import io
import json
from typing import IO, Any

from tddfa import arkit52
from tddfa.frame import Frame
from tddfa.records.values import (
    ANGLES,
    BOX,
    SCALARS,
    RecordLayout,
    face_values,
    short_numbers,
)


class CsvLines:
    """Comma-separated rows under one line of names."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, row: list[Any]) -> None:
        """Append a row."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)
        self._file.write(text.getvalue().encode())


class CsvRecords:
    """A column for each number."""

    def __init__(self, file: IO[bytes], layout: RecordLayout) -> None:
        self._lines = CsvLines(file)
        points = (f"{axis}{number}" for number in range(68) for axis in "xyz")
        names = [*SCALARS, *BOX, *(f"roi_{name}" for name in BOX), *ANGLES]
        names += [f"param_{number}" for number in range(layout.n_params)]
        self._parts = ["box", "roi_box", "angles", "param", "landmarks"]
        names += points
        self._blendshapes = layout.blendshapes
        if layout.blendshapes:
            self._parts.append("blendshapes")
            names += arkit52.NAMES
        self._lines.write(names)

    def add(self, frame: Frame) -> None:
        """Append a row for each face of the frame."""
        for face in frame.faces:
            values = face_values(frame, face, self._blendshapes)
            row = [values[key] for key in SCALARS]
            for key in self._parts:
                row += short_numbers(values[key].ravel())
            self._lines.write(row)

    def close(self) -> None:
        """Do nothing: every row is written when it is added."""


class JsonLines:
    """One JSON object a line."""

    def __init__(self, file: IO[bytes], layout: RecordLayout) -> None:
        self._file, self._blendshapes = file, layout.blendshapes

    def add(self, frame: Frame) -> None:
        """Append a line for each face of the frame."""
        for face in frame.faces:
            values = face_values(frame, face, self._blendshapes)
            angles = dict(zip(ANGLES, short_numbers(values.pop("angles")), strict=True))
            for key in ("box", "roi_box", "param"):
                values[key] = short_numbers(values[key])
            values["landmarks"] = [short_numbers(point) for point in values["landmarks"]]
            if self._blendshapes:
                coefficients = short_numbers(values["blendshapes"])
                values["blendshapes"] = dict(zip(arkit52.NAMES, coefficients, strict=True))
            line = json.dumps({**values, **angles}, allow_nan=False)
            self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        """Do nothing: every line is written when it is added."""
