"""Crops as files beside the table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.io.atomic import atomic_write
from tddfa.io.pictures import imwrite
from tddfa.label.crop_geometry import cut_out, eg3d_crop, ffhq_quad
from tddfa.label.pictures import CropWriter
from tddfa.label.schema import Row
from tddfa.picture import ImageArray

Convention = Literal["ffhq", "eg3d", "talking"]
CONVENTIONS: tuple[str, ...] = get_args(Convention)
FOLDER, LABELS = "crops", "dataset.json"
_USUAL_SIZE = {"ffhq": 1024, "eg3d": 512, "talking": 224}


@dataclass(frozen=True)
class CropSettings:
    """What is cut out.

    Attributes
    ----------
    convention : {'ffhq', 'eg3d', 'talking'}
        See `tddfa.label.crop_geometry` and `tddfa.label.talking_heads`.
    size : int, optional
        Side in pixels; 1024, 512 and 224 as in those data sets if left out.
    suffix : {'.png', '.jpg', '.webp'}
        Kind of file.
    least : float
        Faces smaller than this (`Face.size`, pixels) are not cut out.
    """

    convention: Convention = "ffhq"
    size: int | None = None
    suffix: str = ".png"
    least: float = 0.0

    def __post_init__(self) -> None:
        if self.convention not in CONVENTIONS:
            raise InputError(f"crops: expected {', '.join(CONVENTIONS)}, got {self.convention!r}")
        if self.size is not None and not 16 <= self.size <= 4096:
            raise InputError(f"crop size: expected 16 to 4096 pixels, got {self.size}")
        if self.suffix not in (".png", ".jpg", ".webp"):
            raise InputError(f"crop format: expected png, jpg or webp, got {self.suffix!r}")

    @property
    def side(self) -> int:
        """Side of a crop in pixels."""
        return self.size or _USUAL_SIZE[self.convention]


class CropFiles:
    """Write the crops of one shard: ``crops/00012/00012_000345.png``.

    Names follow from the place among the shard's faces, so that a shard that is made again writes
    the same files.
    """

    def __init__(self, settings: CropSettings, folder: Path, shard: int) -> None:
        self.settings, self._folder, self._shard = settings, folder, shard
        self._count = 0
        self.columns: Sequence[str] = ("crop",)
        if settings.convention == "eg3d":
            self.columns = ("crop", "camera")

    def __call__(self, row: Row, image: ImageArray, faces: Sequence[Face]) -> list[Row]:
        """Write the crops of one picture and return their columns."""
        return [self._one(image, face) for face in faces]

    def watch(self, frame: Frame) -> None:
        """Do nothing: each frame's crops are files of their own."""

    def finish(self, source: str) -> None:
        """Do nothing: everything is written."""

    def _one(self, image: ImageArray, face: Face) -> Row:
        number, self._count = self._count, self._count + 1
        settings = self.settings
        if face.size < settings.least:
            return {}
        more: Row = {}
        if settings.convention == "eg3d":
            found = eg3d_crop(face)
            quad, more = found.quad, {"camera": found.camera}
        else:
            quad = ffhq_quad(face.landmarks + 0.5)
        name = f"{self._shard:05d}/{self._shard:05d}_{number:06d}{settings.suffix}"
        imwrite(self._folder / FOLDER / name, cut_out(image, quad, settings.side))
        return {"crop": name, **more}


def open_crops(settings: CropSettings, folder: Path, shard: int) -> CropWriter:
    """Return what writes the crops of a shard."""
    if settings.convention == "talking":
        from tddfa.label.talking_heads import TalkingHeads

        return TalkingHeads(folder / FOLDER, shard, settings.side, settings.least)
    return CropFiles(settings, folder, shard)


def write_camera_labels(folder: Path, parts: Sequence[Path]) -> int:
    """Write ``crops/dataset.json`` as EG3D and StyleGAN read it; return the number of crops."""
    import pyarrow.parquet as pq

    labels = []
    for part in parts:
        table = pq.read_table(part, columns=["crop", "camera"])
        labels += [
            [name, camera]
            for name, camera in zip(
                table["crop"].to_pylist(), table["camera"].to_pylist(), strict=True
            )
            if name is not None
        ]
    with atomic_write(folder / FOLDER / LABELS) as file:
        file.write(json.dumps({"labels": labels}).encode())
    return len(labels)
