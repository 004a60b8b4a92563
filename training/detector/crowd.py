"""Put face crops together to crowds."""

import cv2
import numpy as np
import numpy.typing as npt

from training.dataset.batch import CANVAS, MARGIN
from training.detector.boxes import FloatArray, box_around, box_of_roi
from training.detector.picture import ComposeSettings, Image, Picture, sorted_out


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
