"""A training picture with its boxes, and random parts of whole photos."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.detector.boxes import FloatArray

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


def part_of_photo(
    picture: Picture,
    around: FloatArray,
    size: int,
    generator: np.random.Generator,
    largest: float = 2.5,
) -> Picture:
    """Return a random part at a random scale, mirrored half of the time.

    It mostly shows one of the boxes `around` (n, 4). Its side is 0.35 to `largest` times the
    photo's longer one; beyond the photo it is gray.
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
