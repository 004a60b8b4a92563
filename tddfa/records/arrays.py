"""Records as arrays: NumPy's NPZ."""

import tempfile
from typing import IO, Any

import numpy as np

from tddfa.frame import Frame
from tddfa.records.values import ANGLES, RecordLayout, face_values


class NpzRecords:
    """Rows pile up in a temporary file, not in memory, until the arrays are written."""

    def __init__(self, file: IO[bytes], layout: RecordLayout) -> None:
        self._file = file
        self._rows = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        self._count = 0
        self.layout = np.dtype(
            [
                ("frame", np.int64),
                ("time", np.float64),
                ("id", np.int64),
                ("score", np.float32),
                ("box", np.float32, (4,)),
                ("roi_box", np.float32, (4,)),
                ("param", np.float32, (layout.n_params,)),
                ("angles", np.float32, (3,)),
                ("landmarks", np.float32, (68, 3)),
                *([("blendshapes", np.float32, (52,))] if layout.blendshapes else []),
            ]
        )
        self._blendshapes = layout.blendshapes

    def add(self, frame: Frame) -> None:
        """Append a row for each face of the frame."""
        for face in frame.faces:
            row = np.zeros((), self.layout)
            for key, value in face_values(frame, face, self._blendshapes).items():
                row[key] = value
            self._rows.write(row.tobytes())
            self._count += 1

    def close(self) -> None:
        """Write the arrays."""
        self._rows.flush()
        if self._count:
            rows: Any = np.memmap(self._rows, self.layout, "r", shape=(self._count,))
        else:
            rows = np.zeros(0, self.layout)
        arrays = {key: rows[key] for key in self.layout.names or () if key != "angles"}
        angles = {name: rows["angles"][:, column] for column, name in enumerate(ANGLES)}
        np.savez(self._file, **arrays, **angles)
        del rows, arrays, angles
        self._rows.close()
