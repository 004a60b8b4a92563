"""Write what was found in a video: one record per face and frame, as NPZ, CSV or JSON Lines."""

import contextlib
import csv
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.io.atomic import PathLike, atomic_write

# Columns besides the parameters and landmarks.
SCALARS = ("frame", "time", "id", "score")
BOX = ("xmin", "ymin", "xmax", "ymax")
ANGLES = ("yaw", "pitch", "roll")


class RecordWriter(Protocol):
    """Takes the faces of successive frames."""

    def add(self, frame: Frame) -> None:
        """Append a record for each face of the frame."""


def face_values(frame: Frame, face: Face) -> dict[str, Any]:
    """Return one record.

    Pixels are those of the upright picture on square pixels (`Frame.image`), y down; angles are
    degrees; ``param`` with ``roi_box`` is what ``recon_vers`` takes; landmarks are (68, 3).
    """
    pose = face.pose
    return {
        "frame": frame.index,
        "time": frame.time,
        "id": face.track_id,
        "score": face.score,
        "box": face.box.astype(np.float32),
        "roi_box": np.asarray(face.roi_box, np.float32),
        "param": face.param,
        "angles": np.array([pose.yaw, pose.pitch, pose.roll], np.float32),
        "landmarks": np.ascontiguousarray(face.landmarks.T),
    }


class _JsonLines:
    def __init__(self, file: IO[Any], n_params: int) -> None:
        self._file = file

    def add(self, frame: Frame) -> None:
        for face in frame.faces:
            values = face_values(frame, face)
            angles = dict(zip(ANGLES, _numbers(values.pop("angles")), strict=True))
            for key in ("box", "roi_box", "param"):
                values[key] = _numbers(values[key])
            values["landmarks"] = [_numbers(point) for point in values["landmarks"]]
            line = json.dumps({**values, **angles}, allow_nan=False)
            self._file.write(line.encode() + b"\n")


class _Csv:
    def __init__(self, file: IO[Any], n_params: int) -> None:
        self._file = file
        points = (f"{axis}{number}" for number in range(68) for axis in "xyz")
        names = [*SCALARS, *BOX, *(f"roi_{name}" for name in BOX), *ANGLES]
        names += [f"param_{number}" for number in range(n_params)]
        self._write([*names, *points])

    def add(self, frame: Frame) -> None:
        for face in frame.faces:
            values = face_values(frame, face)
            row = [values[key] for key in SCALARS]
            for key in ("box", "roi_box", "angles", "param", "landmarks"):
                row += _numbers(values[key].ravel())
            self._write(row)

    def _write(self, row: list[Any]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)
        self._file.write(text.getvalue().encode())


class _Npz:
    """Rows pile up in a temporary file, not in memory, until the arrays are written."""

    def __init__(self, file: IO[Any], n_params: int) -> None:
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
                ("param", np.float32, (n_params,)),
                ("angles", np.float32, (3,)),
                ("landmarks", np.float32, (68, 3)),
            ]
        )

    def add(self, frame: Frame) -> None:
        for face in frame.faces:
            row = np.zeros((), self.layout)
            for key, value in face_values(frame, face).items():
                row[key] = value
            self._rows.write(row.tobytes())
            self._count += 1

    def close(self) -> None:
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


FORMATS: dict[str, type[_Npz] | type[_Csv] | type[_JsonLines]] = {
    ".npz": _Npz,
    ".csv": _Csv,
    ".jsonl": _JsonLines,
}


def check_record_path(path: PathLike) -> None:
    """Raise `InputError` unless the extension is one of `FORMATS`."""
    if Path(path).suffix.lower() not in FORMATS:
        raise InputError(f"{path}: expected a name ending in {', '.join(FORMATS)}")


@contextlib.contextmanager
def open_records(path: PathLike, n_params: int = 62) -> Iterator[RecordWriter]:
    """Open a file of records; its format follows from the extension.

    The file appears when the block ends. If an error or Ctrl-C ends it, the file holds the records
    made until then.

    Parameters
    ----------
    path : path-like
        ``.npz``, ``.csv`` or ``.jsonl``.
    n_params : int
        Numbers in a parameter vector.

    Raises
    ------
    InputError
        If the extension is another one or the file cannot be written.
    """
    check_record_path(path)
    interrupted: BaseException | None = None
    with atomic_write(path) as file:
        writer = FORMATS[Path(path).suffix.lower()](file, n_params)
        try:
            yield writer
        except (Exception, KeyboardInterrupt) as error:
            interrupted = error
        if isinstance(writer, _Npz):
            writer.close()
    if interrupted is not None:
        raise interrupted


def _numbers(values: Any) -> list[float]:
    # Seven digits tell apart all float32 numbers that matter here, in half the space of 17.
    return [float(f"{value:.7g}") for value in np.asarray(values).tolist()]
