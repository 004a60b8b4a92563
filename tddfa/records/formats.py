"""From a name to a writer of records."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Protocol

from tddfa.errors import InputError
from tddfa.io.atomic import PathLike, atomic_write
from tddfa.optional import require
from tddfa.records.arrays import NpzRecords
from tddfa.records.livelink import LiveLinkRecords
from tddfa.records.openface import OpenFaceRecords
from tddfa.records.parquet import ParquetRecords
from tddfa.records.text import CsvRecords, JsonLines
from tddfa.records.values import RecordLayout, RecordWriter


class _Format(Protocol):
    def __call__(self, file: IO[bytes], layout: RecordLayout) -> RecordWriter: ...


# Extension -> our own columns.
_BY_EXTENSION: Mapping[str, _Format] = MappingProxyType(
    {".npz": NpzRecords, ".csv": CsvRecords, ".jsonl": JsonLines, ".parquet": ParquetRecords}
)
# Other programs' columns, all of them CSV.
_BY_NAME: Mapping[str, _Format] = MappingProxyType(
    {"livelink": LiveLinkRecords, "openface": OpenFaceRecords}
)
# What `open_records` takes as `form`.
RECORD_FORMATS = ("own", *_BY_NAME)


def check_record_target(path: PathLike, form: str = "own") -> None:
    """Raise `InputError` unless a format has such an extension, and what it needs is there."""
    suffix = Path(path).suffix.lower()
    if form == "own" and suffix not in _BY_EXTENSION:
        raise InputError(f"{path}: expected a name ending in {', '.join(_BY_EXTENSION)}")
    if form not in RECORD_FORMATS:
        raise InputError(f"record format: expected {', '.join(RECORD_FORMATS)}, got {form!r}")
    if form != "own" and suffix != ".csv":
        raise InputError(f"{path}: expected a name ending in .csv for the format {form}")
    if suffix == ".parquet":
        require("Parquet", "pyarrow")


@contextlib.contextmanager
def open_records(
    path: PathLike, layout: RecordLayout | None = None, form: str = "own"
) -> Iterator[RecordWriter]:
    """Open a file of records; the kind of file follows from the extension.

    The file appears when the block ends. If Ctrl-C or a defect ends it, the file holds the records
    made until then; if an `InputError` does, there is none.

    Parameters
    ----------
    path : path-like
        ``.npz``, ``.csv``, ``.jsonl`` or ``.parquet`` (needs PyArrow).
    layout : RecordLayout, optional
        What the faces have.
    form : {'own', 'livelink', 'openface'}
        Columns; other programs' are CSV.

    Raises
    ------
    InputError
        If the extension is another one, PyArrow is missing, or the file cannot be written.
    """
    check_record_target(path, form)
    make = _BY_NAME[form] if form in _BY_NAME else _BY_EXTENSION[Path(path).suffix.lower()]
    interrupted: BaseException | None = None
    with atomic_write(path) as file:
        writer = make(file, layout or RecordLayout())
        try:
            yield writer
        except (Exception, KeyboardInterrupt) as error:
            interrupted = error
        writer.close()
        if isinstance(interrupted, InputError):
            raise interrupted  # within: the file is not kept
    if interrupted is not None:
        raise interrupted
