"""One shard: its inputs in, its part of the table out, whole or not at all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.io.decode import decode
from tddfa.io.pictures import imread
from tddfa.label.archives import archive_pictures
from tddfa.label.films import film_rows
from tddfa.label.pictures import CropWriter, picture_rows
from tddfa.label.places import Place, is_uri, read_bytes
from tddfa.label.schema import Row, label_schema, to_table
from tddfa.label.sources import Source
from tddfa.picture import ImageArray

# Rows that are kept until they are written as one row group.
_GROUP = 4096


@dataclass(frozen=True)
class LabelSettings:
    """What is written about each face.

    Attributes
    ----------
    every : int
        Of a video every n-th frame.
    visibility : bool
        Whether each landmark is hidden by the head.
    blendshapes : bool
        ARKit's coefficients, which the aligner gives.
    """

    every: int = 1
    visibility: bool = True
    blendshapes: bool = False


@dataclass
class Counts:
    """What went through: pictures and frames, faces, inputs that failed."""

    pictures: int = 0
    faces: int = 0
    errors: int = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Count the rows of one picture."""
        failed = "error" in rows[0]
        self.errors += failed
        self.pictures += not failed
        self.faces += sum("face" in row for row in rows)


def label_rows(
    sources: Sequence[Source],
    aligner: FaceAligner,
    settings: LabelSettings,
    write_crops: CropWriter | None = None,
) -> Iterator[list[Row]]:
    """Yield the rows of each picture and frame, in order."""
    visibility = settings.visibility
    waiting: list[Source] = []
    for source in sources:
        if source.kind == "picture":
            waiting.append(source)
            continue
        yield from picture_rows(_pictures(waiting), aligner, visibility, write_crops)
        waiting = []
        if source.kind == "archive":
            inside = archive_pictures(source.path)
            yield from picture_rows(inside, aligner, visibility, write_crops)
        else:
            yield from film_rows(source.path, aligner, settings.every, visibility, write_crops)
    yield from picture_rows(_pictures(waiting), aligner, visibility, write_crops)


def write_shard(
    place: Place,
    name: str,
    sources: Sequence[Source],
    aligner: FaceAligner,
    settings: LabelSettings,
    write_crops: CropWriter | None = None,
    count: Callable[[Sequence[Row]], None] = lambda rows: None,
) -> None:
    """Label a shard's inputs into a Parquet file.

    Parameters
    ----------
    place : Place
        Folder of the table.
    name : str
        The file, which appears when it is whole.
    sources : sequence of Source
        Inputs; damaged ones become rows with an error.
    aligner : FaceAligner
        Networks.
    settings : LabelSettings
        What is written.
    write_crops : CropWriter, optional
        See `tddfa.label.pictures.picture_rows`.
    count : callable
        Called with each picture's rows, for progress.
    """
    import pyarrow.parquet as pq

    extra = ["visible"] if settings.visibility else []
    extra += ["blendshapes"] if settings.blendshapes else []
    extra += write_crops.columns if write_crops is not None else []
    schema = label_schema(aligner.aligner.config.num_params, extra)
    with (
        place.write(name) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        group: list[Row] = []
        for rows in label_rows(sources, aligner, settings, write_crops):
            count(rows)
            group += rows
            if len(group) >= _GROUP:
                writer.write_table(to_table(group, schema))
                group = []
        if group:
            writer.write_table(to_table(group, schema))


def _pictures(sources: Sequence[Source]) -> Iterator[tuple[Row, ImageArray | InputError]]:
    for source in sources:
        try:
            yield {"path": source.path}, _read(source.path)
        except InputError as error:
            yield {"path": source.path}, error


def _read(path: str) -> ImageArray:
    if not is_uri(path):
        return imread(path)
    data = read_bytes(path)
    try:
        return decode(data, path)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
