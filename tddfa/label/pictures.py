"""From pictures to rows, some at a time, so that the regressor has a batch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.face_aligner import FaceAligner
from tddfa.face_batch import FaceCrops, align_crops
from tddfa.frame import Frame
from tddfa.label.measures import face_columns, sharpness
from tddfa.label.schema import Row
from tddfa.picture import ImageArray
from tddfa.roi import network_input, parse_roi_box_from_bbox

# Faces that go through the regressor together.
_BATCH = 16


class CropWriter(Protocol):
    """Makes files of the faces, besides their rows.

    Attributes
    ----------
    columns : sequence of str
        What it adds to rows.
    """

    @property
    def columns(self) -> Sequence[str]: ...  # noqa: D102 (the protocol says it)

    def __call__(self, row: Row, image: ImageArray, faces: Sequence[Face]) -> list[Row]:
        """Take a picture with its faces; return more columns for each face."""

    def watch(self, frame: Frame) -> None:
        """Take every frame of a video, before those that are labelled."""

    def finish(self, source: str) -> None:
        """Take the end of a video."""


@dataclass
class _Waiting:
    """Pictures whose faces are found and cut out, but not aligned yet."""

    heads: list[Row] = field(default_factory=list)
    crops: list[FaceCrops] = field(default_factory=list)
    sharp: list[list[float]] = field(default_factory=list)
    images: dict[int, ImageArray] = field(default_factory=dict)  # those with faces, by number

    @property
    def faces(self) -> int:
        return sum(len(crop.rois) for crop in self.crops)


def picture_rows(
    pictures: Iterable[tuple[Row, ImageArray | InputError]],
    aligner: FaceAligner,
    visibility: bool = True,
    write_crops: CropWriter | None = None,
) -> Iterator[list[Row]]:
    """Yield the rows of successive pictures: at least one each.

    Parameters
    ----------
    pictures : iterable of (row, picture)
        What is known of each (path, member), and the BGR picture, or why there is none.
    aligner : FaceAligner
        Its detector and regressor are used.
    visibility : bool
        Whether to find out which landmarks can be seen: some 8 ms a face, most of its time.
    write_crops : CropWriter, optional
        Called with each picture that has faces; pictures are kept until then.
    """
    waiting = _Waiting()

    def align() -> Iterator[list[Row]]:
        found = align_crops(aligner.picture_aligner, waiting.crops)
        for number, (head, sharp, faces) in enumerate(
            zip(waiting.heads, waiting.sharp, found, strict=True)
        ):
            if "error" in head or not faces:
                yield [head]
                continue
            more = write_crops(head, waiting.images[number], faces) if write_crops else None
            yield [
                head
                | {"face": i, "sharpness": sharp[i]}
                | face_columns(face, visibility)
                | (more[i] if more else {})
                for i, face in enumerate(faces)
            ]

    for known, picture in pictures:
        if isinstance(picture, InputError):
            waiting.heads.append(known | {"error": str(picture)})
            waiting.crops.append(_nothing(aligner))
            waiting.sharp.append([])
        else:
            waiting.heads.append(_find(known, picture, aligner, waiting))
            if write_crops is not None and waiting.crops[-1].rois:
                waiting.images[len(waiting.heads) - 1] = picture
        if waiting.faces >= _BATCH or len(waiting.heads) >= 4 * _BATCH:
            yield from align()
            waiting = _Waiting()
    yield from align()


def _find(known: Row, picture: ImageArray, aligner: FaceAligner, waiting: _Waiting) -> Row:
    """Find the faces of one picture and cut them out."""
    boxes = aligner.find(picture)
    rois = [parse_roi_box_from_bbox(box) for box in boxes]
    waiting.crops.append(aligner.cut(picture, rois, boxes))
    # In the detector's ROIs, whatever the regressor looks at, so that numbers compare.
    waiting.sharp.append(sharpness(network_input(picture, rois, aligner.aligner.size)))
    height, width = picture.shape[:2]
    return known | {"width": width, "height": height, "faces": len(boxes)}


def _nothing(aligner: FaceAligner) -> FaceCrops:
    import numpy as np

    size = aligner.aligner.size
    return FaceCrops((0, 0), [], np.zeros((0, 3, size, size), np.float32))
