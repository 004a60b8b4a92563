"""Make the training pictures, each by its number: parts of photos, and crowds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from training.detector.boxes import FloatArray
from training.detector.crowd import crowd
from training.detector.faces import FaceCrops
from training.detector.mosaic import mosaic, tile_side
from training.detector.picture import ComposeSettings, Image, Picture, draw_roll, part_of_photo
from training.detector.sources import BoxedPictures
from training.evaluation.benchmark_sets import read_picture

# Tiles are small already: the parts they show reach little beyond their photos.
TILE_REACH = 1.2
# Deviation of the gray levels around a face that is not lost in the dark.
LEAST_CONTRAST = 15.0


@dataclass(frozen=True)
class Source:
    """Pictures of a folder, with boxes.

    Attributes
    ----------
    folder : Path
    pictures : BoxedPictures
        Those to train on alone.
    decoys : BoxedPictures, optional
        Those with places that look like faces (`training.detector.decoys`), as their `faces`.
    empty : bool
        Whether the pictures are known to hold no face, whatever another detector says.
    """

    folder: Path
    pictures: BoxedPictures
    decoys: BoxedPictures | None = None
    empty: bool = False

    def draw(
        self, decoy_share: float, generator: np.random.Generator
    ) -> tuple[Picture, FloatArray]:
        """Return a picture and boxes to look at: a decoy, else its faces."""
        names = self.pictures.names
        i, around = int(generator.integers(len(names))), None
        if self.decoys and self.decoys.names and generator.random() < decoy_share:
            chosen = int(generator.integers(len(self.decoys.names)))
            i, around = names.index(self.decoys.names[chosen]), self.decoys.faces[chosen]
        image = read_picture(self.folder / names[i])
        faces = self.pictures.faces[i]
        height, width = image.shape[:2]
        whole = np.array([[0, 0, width, height]] if self.empty else [], np.float32).reshape(-1, 4)
        picture = Picture(image, faces, self.pictures.doubtful[i], empty=whole)
        return picture, faces if around is None else around


def change_light(image: Image, settings: ComposeSettings, generator: np.random.Generator) -> Image:
    """Change brightness, contrast and color; some pictures become dark or gray."""
    curve = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(generator.normal(0, 0.25))
    gain = np.exp(generator.normal(0, 0.15, 3)) * (
        generator.uniform(0.12, 0.5) if generator.random() < settings.dark else 1.0
    )
    tables = (curve[:, None] ** gamma * gain + generator.normal(0, 0.05)) * 255
    out = cv2.LUT(image, np.clip(tables, 0, 255).astype(np.uint8)[None])
    if generator.random() < 0.12:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if generator.random() < 0.2:
        noise = generator.standard_normal(out.shape, np.float32)
        out = np.clip(out + noise * float(generator.uniform(2, 10)), 0, 255).astype(np.uint8)
    if generator.random() < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(20, 80))]
        code = cv2.imencode(".jpg", out, quality)[1]
        out = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return np.asarray(out, np.uint8)


def seen_areas(image: Image, areas: FloatArray) -> FloatArray:
    """Return the areas (n, 4) in which something can be seen; faces in the dark are no lesson."""
    size = np.array(image.shape[1::-1] * 2)
    corners = np.clip(np.round(areas), 0, size).astype(int).tolist()
    contrast = [float(image[y:b, x:r].std()) if r > x and b > y else 0.0 for x, y, r, b in corners]
    return areas[np.array(contrast).reshape(-1) >= LEAST_CONTRAST]


class Composer:
    """Make the i-th training picture, always the same for the same seed and i.

    Parameters
    ----------
    scenes : Source, optional
        Whole pictures with faces; without them all faces are pasted crops.
    negatives : sequence of Source
        Whole pictures without faces, drawn evenly over all of them.
    crops : FaceCrops
    settings : ComposeSettings
    seed : int
    """

    def __init__(
        self,
        scenes: Source | None,
        negatives: Sequence[Source],
        crops: FaceCrops,
        settings: ComposeSettings,
        seed: int,
    ) -> None:
        self.scenes, self.negatives = scenes, negatives
        self.crops = crops
        counts = np.array([len(source.pictures.names) for source in negatives])
        self._shares = counts / counts.sum()
        self.settings, self.seed = settings, seed

    def __call__(self, index: int) -> Picture:
        """Return picture `index`."""
        generator = np.random.default_rng((self.seed, index))
        size = self.settings.size
        crowded = generator.random() < self.settings.composites
        if crowded:
            # Behind a crowd lies a picture without a face, or, one in four, with some.
            behind = self._part(0.75, size, generator)
            picture = crowd(behind, self.crops, self.settings, generator)
        elif generator.random() < self.settings.mosaics:
            across = int(generator.integers(2, 4))
            side = tile_side(size, across)
            empty = self.settings.empty
            tiles = [self._part(empty, side, generator, TILE_REACH) for _ in range(across**2)]
            picture = mosaic(tiles, size)
        else:
            picture = self._part(self.settings.empty, size, generator)
        image = change_light(picture.image, self.settings, generator)
        return replace(picture, image=image, sure=seen_areas(image, picture.sure))

    def _part(
        self, empty: float, size: int, generator: np.random.Generator, largest: float = 2.5
    ) -> Picture:
        source, drawn = self.scenes, generator.random() < empty
        if source is None or drawn:
            source = self.negatives[generator.choice(len(self.negatives), p=self._shares)]
        whole, around = source.draw(self.settings.decoys, generator)
        rolled = generator.random() < self.settings.rolled
        roll = draw_roll(generator) if rolled else 0.0
        return part_of_photo(whole, around, size, generator, largest, roll)
