"""A training picture with its boxes, and random parts of whole photos."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.detector_box import moved_boxes
from training.detector.boxes import NEAR, FloatArray, grown, moved_areas

Image = npt.NDArray[np.uint8]
LEAST_SIDE = 12.0  # smaller faces are neither asked for nor held against the network


NONE: FloatArray = np.zeros((0, 4), np.float32)
# Beyond this roll, in degrees, detectors of upright faces are no yardstick.
SURE_ROLL = 35.0


@dataclass(frozen=True)
class Picture:
    """A picture with its boxes and areas, all (n, 4) in pixels.

    Attributes
    ----------
    image : ndarray, shape (h, w, 3), uint8
    faces : ndarray
    doubtful : ndarray
        Where there may be a face.
    sure, empty : ndarray
        Areas where another detector's word does not count, see `boxes.told`.
    """

    image: Image
    faces: FloatArray
    doubtful: FloatArray
    sure: FloatArray = field(default_factory=NONE.copy)
    empty: FloatArray = field(default_factory=NONE.copy)


@dataclass(frozen=True)
class ComposeSettings:
    """How training pictures are made.

    Attributes
    ----------
    size : int
        Side in pixels, a multiple of 128.
    composites : float
        Share of crowds made of face crops; the others are parts of photos.
    mosaics : float
        Share of the others that are tiled from parts of 4 or 9 photos.
    empty : float
        Share of parts that come from pictures without a face.
    decoys : float
        Share of pictures drawn for what looks like a face in them, if that is known.
    most_faces : int
        Largest number of faces of a crowd.
    face_side : (float, float)
        Range of a pasted face's box, drawn evenly in the logarithm.
    roll : float
        Standard deviation of a pasted face's roll in degrees.
    rolled : float
        Share of pasted faces and of parts of photos that are rolled by any angle instead.
    covered : float
        Share of pasted faces with a patch over a part.
    dark : float
        Share of pictures that are darkened strongly.
    """

    size: int = 384
    composites: float = 0.5
    mosaics: float = 0.3
    empty: float = 0.25
    decoys: float = 0.5
    most_faces: int = 10
    face_side: tuple[float, float] = (16.0, 330.0)
    roll: float = 22.0
    rolled: float = 0.3
    covered: float = 0.25
    dark: float = 0.2


def draw_roll(generator: np.random.Generator) -> float:
    """Draw any roll in degrees; half of the time one near a turned camera's, 90, 180 or 270."""
    if generator.random() < 0.5:
        return float(generator.uniform(-180, 180))
    return float(generator.choice((-90.0, 90.0, 180.0)) + generator.normal(0, 10))


def transform(picture: Picture, matrix: npt.NDArray[np.floating], size: int) -> Picture:
    """Move a picture by a similarity (2, 3), and its boxes with it."""
    image = cv2.warpAffine(
        picture.image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=(104, 117, 123)
    )
    moved = Picture(
        np.asarray(image, np.uint8),
        moved_boxes(picture.faces, matrix),
        moved_boxes(picture.doubtful, matrix),
        moved_areas(picture.sure, matrix),
        moved_areas(picture.empty, matrix),
    )
    return sorted_out(moved)


def sorted_out(picture: Picture) -> Picture:
    """Count faces as doubtful whose center lies outside or that are too small."""
    faces = picture.faces
    center = (faces[:, :2] + faces[:, 2:]) / 2
    inside = ((center > 0) & (center < picture.image.shape[1::-1])).all(axis=1)
    large = (faces[:, 2:] - faces[:, :2]).min(axis=1, initial=np.inf) >= LEAST_SIDE
    keep = inside & large
    doubtful = np.concatenate([picture.doubtful, faces[~keep]])
    return replace(picture, faces=faces[keep], doubtful=doubtful)


def part_of_photo(
    picture: Picture,
    around: FloatArray,
    size: int,
    generator: np.random.Generator,
    largest: float = 2.5,
    roll: float = 0.0,
) -> Picture:
    """Return a random part at a random scale, mirrored half of the time.

    It mostly shows one of the boxes `around` (n, 4). Its side is 0.35 to `largest` times the
    photo's longer one, and `roll` (degrees) turns it; beyond the photo it is gray.
    """
    height, width = picture.image.shape[:2]
    side = max(height, width) * float(np.exp(generator.uniform(np.log(0.35), np.log(largest))))
    if len(around) and generator.random() < 0.8:
        box = around[generator.integers(len(around))]
        center = (box[:2] + box[2:]) / 2 + generator.uniform(-0.4, 0.4, 2) * side
    else:
        center = generator.uniform(0, 1, 2) * (width, height)
    zoom = size / side
    mirror = generator.choice((-1.0, 1.0))
    matrix = np.zeros((2, 3))
    matrix[:, :2] = cv2.getRotationMatrix2D((0, 0), roll, zoom)[:, :2] * (mirror, 1)
    matrix[:, 2] = size / 2 - matrix[:, :2] @ center
    # Shrinking without a blur first would leave patterns that real small pictures lack.
    if zoom < 0.7:
        sigma = 0.4 / zoom
        blurred = cv2.GaussianBlur(picture.image, (0, 0), sigma)
        picture = replace(picture, image=np.asarray(blurred, np.uint8))
    moved = transform(picture, matrix, size)
    if abs(roll) > SURE_ROLL:
        sure = np.concatenate([moved.sure, grown(moved.faces, NEAR)])
        moved = replace(moved, sure=sure)
    return moved
