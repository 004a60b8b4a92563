"""Make training pictures: parts of photos, and face crops put together to crowds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training.batch import CANVAS, MARGIN
from training.detector.boxes import FloatArray, box_around, box_of_roi
from training.detector.sources import BoxedPictures

Image = npt.NDArray[np.uint8]
LEAST_SIDE = 12.0  # smaller faces are neither asked for nor held against the network


@dataclass(frozen=True)
class Picture:
    """A picture with its boxes (n, 4) in pixels, sure and doubtful."""

    image: Image
    faces: FloatArray
    doubtful: FloatArray


@dataclass(frozen=True)
class ComposeSettings:
    """How training pictures are made.

    Attributes
    ----------
    size : int
        Side in pixels, a multiple of 128.
    composites : float
        Share of crowds made of face crops; the others are parts of photos.
    empty : float
        Share of those parts that come from pictures without a face.
    most_faces : int
        Largest number of faces of a crowd.
    face_side : (float, float)
        Range of a pasted face's box, drawn evenly in the logarithm.
    roll : float
        Standard deviation of a pasted face's roll in degrees.
    covered : float
        Share of pasted faces with a patch over a part.
    dark : float
        Share of pictures that are darkened strongly.
    """

    size: int = 384
    composites: float = 0.5
    empty: float = 0.25
    most_faces: int = 10
    face_side: tuple[float, float] = (16.0, 330.0)
    roll: float = 22.0
    covered: float = 0.25
    dark: float = 0.2


def transform(picture: Picture, matrix: npt.NDArray[np.floating], size: int) -> Picture:
    """Move a picture by a similarity (2, 3) that does not rotate, and its boxes with it."""
    image = cv2.warpAffine(
        picture.image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=(104, 117, 123)
    )

    def move(boxes: FloatArray) -> FloatArray:
        low = boxes[:, :2] * np.diag(matrix[:, :2]) + matrix[:, 2]
        high = boxes[:, 2:] * np.diag(matrix[:, :2]) + matrix[:, 2]
        low, high = np.minimum(low, high), np.maximum(low, high)
        return np.concatenate([low, high], axis=1).astype(np.float32)

    faces, doubtful = move(picture.faces), move(picture.doubtful)
    return sorted_out(np.asarray(image, np.uint8), faces, doubtful)


def sorted_out(image: Image, faces: FloatArray, doubtful: FloatArray) -> Picture:
    """Count faces as doubtful whose center lies outside or that are too small."""
    center = (faces[:, :2] + faces[:, 2:]) / 2
    inside = ((center > 0) & (center < image.shape[1::-1])).all(axis=1)
    large = (faces[:, 2:] - faces[:, :2]).min(axis=1, initial=np.inf) >= LEAST_SIDE
    keep = inside & large
    return Picture(image, faces[keep], np.concatenate([doubtful, faces[~keep]]))


def part_of_photo(picture: Picture, size: int, generator: np.random.Generator) -> Picture:
    """Return a random part at a random scale, mirrored half of the time."""
    height, width = picture.image.shape[:2]
    side = max(height, width) * float(np.exp(generator.uniform(np.log(0.35), np.log(2.5))))
    if len(picture.faces) and generator.random() < 0.8:
        face = picture.faces[generator.integers(len(picture.faces))]
        center = (face[:2] + face[2:]) / 2 + generator.uniform(-0.4, 0.4, 2) * side
    else:
        center = generator.uniform(0, 1, 2) * (width, height)
    zoom = size / side
    mirror = generator.choice((-1.0, 1.0))
    matrix = np.array([[zoom * mirror, 0, 0], [0, zoom, 0]])
    matrix[:, 2] = size / 2 - matrix[:, :2] @ center
    # Shrinking without a blur first would leave patterns that real small pictures lack.
    if zoom < 0.7:
        sigma = 0.4 / zoom
        picture = Picture(
            np.asarray(cv2.GaussianBlur(picture.image, (0, 0), sigma), np.uint8),
            picture.faces,
            picture.doubtful,
        )
    return transform(picture, matrix, size)


def paste(
    picture: Picture,
    crop: Image,
    side: float,
    center: FloatArray,
    roll: float,
    mask: npt.NDArray[np.float32],
) -> Picture:
    """Paste a face crop, its box around `center` and of mean side `side`.

    `mask` (168, 168), 0 to 1, says what of the crop is shown; the crop's own box is that of its
    middle 120 px. A box that the new face covers becomes doubtful.
    """
    own = box_of_roi([MARGIN, MARGIN, CANVAS - MARGIN, CANVAS - MARGIN])
    zoom = 2 * side / float((own[2:] - own[:2]).sum())
    middle = (own[:2] + own[2:]) / 2
    matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), roll, zoom)
    matrix[:, 2] = matrix[:, 2] + center - middle
    image = picture.image.copy()
    # The part of the picture that the crop reaches.
    corners = np.array([[0, 0, 1], [CANVAS, 0, 1], [0, CANVAS, 1], [CANVAS, CANVAS, 1]])
    reached = corners @ matrix.T
    left, top = np.maximum(np.floor(reached.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(reached.max(axis=0)), image.shape[1::-1]).astype(int)
    if zoom < 0.7:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), 0.4 / zoom), np.uint8)
    matrix[:, 2] -= (left, top)
    size = (int(right - left), int(bottom - top))
    warped = cv2.warpAffine(crop, matrix, size, flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR)[:, :, None]
    part = image[top:bottom, left:right]
    part[:] = part + (warped.astype(np.float32) - part) * alpha + np.float32(0.5)
    box = box_around(center, side)
    low, high = np.maximum(picture.faces[:, :2], box[:2]), np.minimum(picture.faces[:, 2:], box[2:])
    covered = np.clip(high - low, 0, None).prod(axis=1)
    area = (picture.faces[:, 2:] - picture.faces[:, :2]).prod(axis=1)
    hidden = covered > 0.3 * area
    return Picture(
        image,
        np.concatenate([picture.faces[~hidden], box[None]]),
        np.concatenate([picture.doubtful, picture.faces[hidden]]),
    )


def draw_mask(
    valid: npt.NDArray[np.integer], generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Draw what of a crop is pasted: an ellipse of varied shape within the photo's own part.

    Were it always a square, the network would learn to look for squares.

    Parameters
    ----------
    valid : ndarray, shape (4,)
        ``[left, top, right, bottom]`` of what is not black border.
    """
    edge = np.arange(CANVAS, dtype=np.float32) + 0.5
    radius = generator.uniform(0.36, 0.62, 2) * CANVAS
    power = float(generator.uniform(2, 5))
    middle = CANVAS / 2 + generator.normal(0, 4, 2)
    across, down = (
        np.abs((edge - float(m)) / float(r)) ** power for m, r in zip(middle, radius, strict=True)
    )
    distance = (across + down[:, None]) ** (1 / power)
    softness = float(generator.uniform(0.05, 0.3))
    mask = np.clip((1 - distance) / softness, 0, 1)
    left, top, right, bottom = valid
    columns, rows = np.minimum(edge - left, right - edge), np.minimum(edge - top, bottom - edge)
    border = np.minimum(columns, rows[:, None]).astype(np.float32)
    return np.minimum(mask, np.clip(border / 6, 0, 1))


def crowd(
    background: Picture,
    crops: npt.NDArray[np.uint8],
    valid: npt.NDArray[np.integer],
    settings: ComposeSettings,
    generator: np.random.Generator,
) -> Picture:
    """Paste face crops of random size, place and roll; larger ones first, as if nearer behind."""
    picture = background
    size = settings.size
    count = int(generator.integers(1, settings.most_faces + 1))
    low, high = np.log(settings.face_side)
    # Many faces are small ones.
    sides = np.exp(generator.uniform(low, high - (high - low) * 0.06 * (count - 1), count))
    for side in np.sort(np.minimum(sides, 0.9 * size))[::-1]:
        number = generator.integers(len(crops))
        crop, mask = crops[number], draw_mask(valid[number], generator)
        if generator.random() < 0.5:
            crop, mask = crop[:, ::-1], mask[:, ::-1]
        if generator.random() < settings.covered:
            crop = _covered(crop, generator)
        center = generator.uniform(0.3 * side, size - 0.3 * side, 2).astype(np.float32)
        roll = float(np.clip(generator.normal(0, settings.roll), -60, 60))
        picture = paste(
            picture,
            np.ascontiguousarray(crop),
            float(side),
            center,
            roll,
            np.ascontiguousarray(mask),
        )
    return sorted_out(picture.image, picture.faces, picture.doubtful)


def _covered(crop: Image, generator: np.random.Generator) -> Image:
    crop = crop.copy()
    width, height = generator.integers(20, 60, 2)
    x, y = generator.integers(40, 128 - 20, 2)
    crop[y : y + height, x : x + width] = generator.integers(0, 256, 3)
    return crop


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


class Composer:
    """Make the i-th training picture, always the same for the same seed and i.

    Parameters
    ----------
    scenes, negatives : (Path, BoxedPictures)
        Folders of whole pictures and their boxes, those to train on alone.
    crops : ndarray, shape (n, 168, 168, 3), uint8
        Face crops whose middle 120 px are a detector's ROI.
    valid : ndarray, shape (n, 4)
        What of each crop is not black border.
    settings : ComposeSettings
    seed : int
    """

    def __init__(
        self,
        scenes: tuple[Path, BoxedPictures],
        negatives: tuple[Path, BoxedPictures],
        crops: npt.NDArray[np.uint8],
        valid: npt.NDArray[np.integer],
        settings: ComposeSettings,
        seed: int,
    ) -> None:
        self.scenes, self.negatives = scenes, negatives
        self.crops, self.valid = crops, valid
        self.settings, self.seed = settings, seed

    def __call__(self, index: int) -> Picture:
        """Return picture `index`."""
        generator = np.random.default_rng((self.seed, index))
        size = self.settings.size
        if generator.random() < self.settings.composites:
            # Behind a crowd lies a picture without a face, or, one in four, with some.
            source = self.scenes if generator.random() < 0.25 else self.negatives
            background = part_of_photo(self._load(source, generator), size, generator)
            picture = crowd(background, self.crops, self.valid, self.settings, generator)
        else:
            source = self.negatives if generator.random() < self.settings.empty else self.scenes
            picture = part_of_photo(self._load(source, generator), size, generator)
        image = change_light(picture.image, self.settings, generator)
        return Picture(image, picture.faces, picture.doubtful)

    @staticmethod
    def _load(source: tuple[Path, BoxedPictures], generator: np.random.Generator) -> Picture:
        folder, boxes = source
        i = int(generator.integers(len(boxes.names)))
        image = cv2.imread(str(folder / boxes.names[i]), cv2.IMREAD_COLOR)
        return Picture(np.asarray(image, np.uint8), boxes.faces[i], boxes.doubtful[i])
