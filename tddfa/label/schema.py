"""The table's columns: types, units and meanings, as they stand in every file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tddfa import arkit52

if TYPE_CHECKING:
    import pyarrow as pa

# Column -> type and meaning; a number after a type makes a list of that length.
COLUMNS: dict[str, tuple[str, str]] = {
    "path": ("string", "input, as it was found"),
    "member": ("string", "name within an archive"),
    "frame": ("int64", "number of a video's frame, from 0"),
    "time": ("float64", "seconds since the video's start"),
    "error": ("string", "why the input could not be read; then no other column has a value"),
    "width": ("int32", "of the picture, upright and on square pixels"),
    "height": ("int32", "of the picture, upright and on square pixels"),
    "faces": ("int32", "faces in the picture; 0 makes one row without a face"),
    "face": ("int32", "number of the face, from 0, best score first"),
    "track_id": ("int64", "in video: the same face in all its frames, from 1"),
    "score": ("float32", "how sure it is that there is a face, 0 to 1"),
    "box": ("float32 4", "xmin, ymin, xmax, ymax of the face in pixels, y down"),
    "roi_box": ("float32 4", "xmin, ymin, xmax, ymax of what the network saw, in pixels"),
    "size": ("float32", "side of the square around the landmarks, in pixels"),
    "sharpness": ("float32", "variance of the Laplacian of the luminance (0 to 255) at 120 pixels"),
    "mirror_error": ("float32", "how far the face's landmarks and its mirror image's are apart"),
    "yaw": ("float32", "degrees, positive towards the picture's left"),
    "pitch": ("float32", "degrees, positive downwards"),
    "roll": ("float32", "degrees, positive with the head's top towards the picture's left"),
    "param": ("float32 62", "parameters: 12 of the camera, 40 of shape, 10 of expression"),
    "landmarks": ("float32 204", "68 points of iBUG: x0, y0, z0, x1, ... in pixels, y down"),
    "visible": ("bool 68", "whether the head hides each landmark or not"),
    "blendshapes": ("float32 52", "of ARKit, 0 to 1: " + ", ".join(arkit52.NAMES)),
    "crop": ("string", "file of the crop, below crops/"),
    "camera": ("float32 25", "of the EG3D crop: camera to world (16, by rows), intrinsics (9)"),
}
# Columns that are there only if they were asked for.
OPTIONAL = ("visible", "blendshapes", "crop", "camera")
Row = dict[str, Any]


def label_schema(n_params: int = 62, extra: Sequence[str] = OPTIONAL) -> "pa.Schema":
    """Return the schema, each column with its meaning as metadata ``description``.

    Parameters
    ----------
    n_params : int
        Numbers in a parameter vector.
    extra : sequence of str
        Which of `OPTIONAL` are there.
    """
    import pyarrow as pa

    fields = []
    for name, (kind, meaning) in COLUMNS.items():
        if name in OPTIONAL and name not in extra:
            continue
        type_name, _, length = kind.partition(" ")
        of_one = {
            "string": pa.string(),
            "int32": pa.int32(),
            "int64": pa.int64(),
            "float32": pa.float32(),
            "float64": pa.float64(),
            "bool": pa.bool_(),
        }[type_name]
        count = n_params if name == "param" else int(length or 0)
        whole = pa.list_(of_one, count) if count else of_one
        fields.append(pa.field(name, whole, metadata={"description": meaning}))
    return pa.schema(fields, metadata={"format": "tddfa faces", "format_version": "2"})


def to_table(rows: Sequence[Row], schema: "pa.Schema") -> "pa.Table":
    """Return rows, in which what does not apply is left out, as a table."""
    import pyarrow as pa

    return pa.table([_column([row.get(f.name) for row in rows], f) for f in schema], schema=schema)


def _column(values: list[Any], field: "pa.Field") -> "pa.Array":
    import pyarrow as pa

    if not pa.types.is_fixed_size_list(field.type):
        return pa.array(values, field.type)
    # Through one array: lists of Python numbers would take longer than the networks.
    length, missing = field.type.list_size, [value is None for value in values]
    kind = np.bool_ if pa.types.is_boolean(field.type.value_type) else np.float32
    flat = np.zeros((len(values), length), kind)
    for row, value in zip(flat, values, strict=True):
        if value is not None:
            row[:] = np.asarray(value).reshape(-1)
    items = pa.array(flat.reshape(-1), field.type.value_type)
    return pa.FixedSizeListArray.from_arrays(
        items, type=field.type, mask=pa.array(missing) if any(missing) else None
    )
