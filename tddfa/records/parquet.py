"""Records as a table with types and units: Apache Parquet, by PyArrow."""

from typing import IO, TYPE_CHECKING, Any

from tddfa import arkit52
from tddfa.frame import Frame
from tddfa.records.values import ANGLES, RecordLayout, face_values

if TYPE_CHECKING:
    import pyarrow as pa

# Rows that are kept until they are written as one row group: some megabytes.
_GROUP = 2048
# What stands in the table's columns, and in which unit; written into the file.
MEANINGS = {
    "frame": "number of the frame in its file, from 0",
    "time": "seconds since the file's start",
    "id": "track: the same face in all its frames, from 1",
    "score": "how sure it is that there is a face, 0 to 1",
    "box": "xmin, ymin, xmax, ymax of the face in pixels, y down",
    "roi_box": "xmin, ymin, xmax, ymax of what the network saw, in pixels, y down",
    "yaw": "degrees, positive towards the picture's left",
    "pitch": "degrees, positive downwards",
    "roll": "degrees, positive with the head's top towards the picture's left",
    "param": "parameters: 12 of the camera, shape, expression",
    "landmarks": "68 points of iBUG: x0, y0, z0, x1, ... in pixels, y down, z towards the viewer",
    "blendshapes": "coefficients of ARKit's 52 blendshapes, 0 to 1: " + ", ".join(arkit52.NAMES),
}


def face_schema(layout: RecordLayout) -> "pa.Schema":
    """Return the columns of one face, each with its meaning as metadata ``description``."""
    import pyarrow as pa

    real = pa.float32()
    types: dict[str, Any] = {
        "frame": pa.int64(),
        "time": pa.float64(),
        "id": pa.int64(),
        "score": real,
        "box": pa.list_(real, 4),
        "roi_box": pa.list_(real, 4),
        **dict.fromkeys(ANGLES, real),
        "param": pa.list_(real, layout.n_params),
        "landmarks": pa.list_(real, 68 * 3),
    }
    if layout.blendshapes:
        types["blendshapes"] = pa.list_(real, len(arkit52.NAMES))
    return pa.schema(
        [
            pa.field(name, kind, metadata={"description": MEANINGS[name]})
            for name, kind in types.items()
        ]
    )


class ParquetRecords:
    """Row groups of some thousand faces, compressed by Zstandard."""

    def __init__(self, file: IO[bytes], layout: RecordLayout) -> None:
        import pyarrow.parquet as pq

        self._schema = face_schema(layout)
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._blendshapes = layout.blendshapes
        self._rows: list[dict[str, Any]] = []

    def add(self, frame: Frame) -> None:
        """Append a row for each face of the frame."""
        for face in frame.faces:
            values = face_values(frame, face, self._blendshapes)
            values |= zip(ANGLES, values.pop("angles").tolist(), strict=True)
            values["landmarks"] = values["landmarks"].ravel()
            self._rows.append(values)
        if len(self._rows) >= _GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the file's end."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
            self._rows.clear()
