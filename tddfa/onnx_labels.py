"""Labels in the metadata of ONNX files, read without loading the network."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tddfa.errors import InputError
from tddfa.weight_labels import WeightLabels, file_sha256

PREFIX = "tddfa."
_METADATA_FIELD = 14  # of ModelProto, onnx.proto


def is_made_from(onnx_fp: Path, checkpoint: Path) -> bool:
    """Return whether an ``.onnx`` was made from a ``.pth``; False if it does not say.

    Raises
    ------
    InputError
        If it was made from another one.
    """
    labels = read_onnx_labels(onnx_fp)
    if labels.checkpoint is None:
        return False
    if labels.checkpoint != file_sha256(checkpoint):
        raise InputError(
            f"'{onnx_fp}' was made from another checkpoint than '{checkpoint}' (python -m "
            f"tddfa.export_onnx {checkpoint} makes it anew)"
        )
    return True


def read_onnx_labels(path: Path) -> WeightLabels:
    """Read the labels of an ``.onnx`` without loading the network; none if it is damaged.

    An ONNX file is a ModelProto in Protocol Buffers' wire format: fields one after the other, of
    which all but the metadata are skipped.
    """
    try:
        with path.open("rb") as file:
            entries = [dict(fields(io.BytesIO(entry))) for entry in _metadata(file)]
            pairs = {entry[1].decode(): entry[2].decode() for entry in entries}
    except (OSError, ValueError, KeyError):
        return WeightLabels()
    return WeightLabels.from_mapping(pairs, PREFIX)


def _metadata(file: IO[bytes]) -> list[bytes]:
    return [value for number, value in fields(file, _METADATA_FIELD) if number == _METADATA_FIELD]


def fields(file: IO[bytes], only: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield number and contents of a message's length-delimited fields, or of those of one number.

    Raises
    ------
    ValueError
        If it is no message in Protocol Buffers' wire format.
    """
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    while file.tell() < end:
        key = _varint(file)
        number, kind = key >> 3, key & 7
        if kind == 0:
            _varint(file)
        elif kind in (1, 5):
            file.seek(8 if kind == 1 else 4, io.SEEK_CUR)
        elif kind == 2:
            length = _varint(file)
            if file.tell() + length > end:
                raise ValueError("a field goes beyond the file")
            if only in (None, number):
                yield number, file.read(length)
            else:
                file.seek(length, io.SEEK_CUR)
        else:
            raise ValueError(f"no such kind of field: {kind}")


def _varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise ValueError("a number does not end")
