"""Draw training crops: moved, rolled, before other pictures, with the answers they deserve."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.augmentation.photometric import degrade
from training.dataset.batch import CANVAS
from training.dataset.packed import valid_box
from training.detector.boxes import FloatArray
from training.detector.crowd import draw_mask
from training.face_check.settings import SampleSettings
from training.face_check.sources import Patches, Sources

SIDE = 60  # of what the network's convolutions see
# JPEG's blocks are 8 px: pictures are worsened with a rim, which is cut off.
RIM = 2
# A crop less than this of a face's ROI shows a part of it.
_PART = (0.22, 0.4)
_BORDERS = (cv2.BORDER_CONSTANT, cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101)


class Samples(torch.utils.data.Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Batches by number, always the same for the same seed and number.

    A batch is crops (n, 3, 60, 60) as the network sees them, whether there is a face (n,), and the
    other answers (n, 5), NaN where there is none: cosine, sine, center and logarithm of the side.
    """

    def __init__(
        self,
        sources: Sources,
        settings: SampleSettings,
        batch_size: int,
        steps: Sequence[int],
        seed: int,
        hard: Sequence[npt.NDArray[np.int64]] = (),
    ) -> None:
        self.sources, self.settings, self.seed = sources, settings, seed
        self.batch_size, self.steps, self.hard = batch_size, steps, hard

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return a batch."""
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        step = self.steps[index]
        generator = np.random.default_rng((self.seed, step))
        drawn = [self._draw(generator) for _ in range(self.batch_size)]
        pictures = torch.from_numpy(np.stack([image for image, _, _ in drawn]))
        shaken = torch.Generator().manual_seed(int(generator.integers(2**62)))
        images = pictures.permute(0, 3, 1, 2).float().contiguous()
        images = degrade(images, self.settings.photometric, shaken)
        images = images[:, :, RIM:-RIM, RIM:-RIM]
        face = torch.tensor([is_face for _, is_face, _ in drawn], dtype=torch.float32)
        answers = torch.from_numpy(np.stack([answer for _, _, answer in drawn]))
        return (images - 127.5) / 128, face, answers

    def _draw(
        self, generator: np.random.Generator
    ) -> tuple[npt.NDArray[np.uint8], bool, FloatArray]:
        settings, sources = self.settings, self.sources
        if generator.random() < settings.faces:
            if sources.found and generator.random() < settings.found:
                patches, row = _any(sources.found, generator)
            else:
                share = sources.shares / sources.shares.sum()
                patches = sources.faces[generator.choice(len(sources.faces), p=share)]
                row = int(patches.rows[generator.integers(len(patches.rows))])
            return self._crop(patches, row, True, generator)
        if generator.random() < settings.parts:
            patches = sources.faces[generator.integers(len(sources.faces))]
            row = int(patches.rows[generator.integers(len(patches.rows))])
            return self._crop(patches, row, False, generator, part=True)
        decoy = generator.random() < settings.decoys and bool(sources.decoys)
        pool, chosen = (sources.decoys if decoy else sources.plain), None
        if decoy and self.hard and generator.random() < settings.hard:
            chosen = self.hard
        patches, row = _any(pool, generator, chosen)
        return self._crop(patches, row, False, generator)

    def _crop(
        self,
        patches: Patches,
        row: int,
        face: bool,
        generator: np.random.Generator,
        part: bool = False,
    ) -> tuple[npt.NDArray[np.uint8], bool, FloatArray]:
        """Return a crop of 64 px, of which the middle 60 are the network's, and its answers."""
        settings = self.settings
        image = patches.images[row]
        x, y, side = patches.squares[row].astype(float)
        mirrored = generator.random() < 0.5
        if mirrored:
            image, x = image[:, ::-1], CANVAS - x
        roll = float(generator.normal(0, settings.roll))
        if generator.random() < settings.rolled:
            roll = float(generator.uniform(-180, 180))
        low, high = np.log(settings.zoom)
        zoom = float(np.exp(generator.uniform(low, high)))
        if generator.random() < settings.tuned:
            zoom = float(np.exp(generator.normal(0, 0.1)))
        shift = np.clip(generator.normal(0, settings.shift, 2), -0.2, 0.2)
        if part:
            zoom = float(generator.uniform(*_PART))
            shift = generator.uniform(-0.7, 0.7, 2)
        seen = zoom * side  # side of the crop in pixels of the patch
        matrix = np.array(cv2.getRotationMatrix2D((x, y), roll, SIDE / seen), np.float64)
        place = SIDE * (0.5 + shift / (zoom if not part else 1)) + RIM
        matrix[:, 2] += place - (x, y)
        crop = self._placed(np.ascontiguousarray(image), matrix, generator)
        answers = np.full(5, np.nan, np.float32)
        if face:
            known = float(patches.roll[row])
            lean = np.radians((-known if mirrored else known) + roll)
            center = (place - RIM) / SIDE - 0.5
            answers[:] = np.cos(lean), np.sin(lean), *center, -np.log(zoom)
        return crop, face, answers

    def _placed(
        self,
        image: npt.NDArray[np.uint8],
        matrix: npt.NDArray[np.floating],
        generator: np.random.Generator,
    ) -> npt.NDArray[np.uint8]:
        size = (SIDE + 2 * RIM,) * 2
        # OpenCV counts between pixel centers.
        matrix = matrix.copy()
        matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5
        border = _BORDERS[generator.integers(len(_BORDERS))]
        crop = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
        if generator.random() >= self.settings.background:
            return np.asarray(crop, np.uint8)
        if generator.random() < 0.5:
            mask = draw_mask(np.array(valid_box(image)), generator)
        else:
            mask = np.ones((CANVAS, CANVAS), np.float32)
        alpha = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR)[:, :, None]
        behind, row = _any(self.sources.plain, generator)
        back = cv2.resize(behind.images[row], size, interpolation=cv2.INTER_AREA)
        mixed = back + (crop.astype(np.float32) - back) * alpha
        return np.asarray(mixed + 0.5, np.uint8)


def _any(
    pool: Sequence[Patches],
    generator: np.random.Generator,
    chosen: Sequence[npt.NDArray[np.int64]] | None = None,
) -> tuple[Patches, int]:
    """Draw one of all patches of several sets, or of some of their rows."""
    rows = [part.rows for part in pool] if chosen is None else list(chosen)
    ends = np.cumsum([len(part) for part in rows])
    number = int(generator.integers(ends[-1]))
    which = int(np.searchsorted(ends, number, side="right"))
    return pool[which], int(rows[which][number - ends[which]])
