"""Put face crops together to crowds."""

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.detector_box import ROI_BELOW_BOX, ROI_PER_BOX
from training.dataset.batch import CANVAS
from training.detector.boxes import (
    NEAR,
    FloatArray,
    box_around,
    grown,
)
from training.detector.faces import FaceCrops
from training.detector.picture import (
    SURE_ROLL,
    ComposeSettings,
    Image,
    Picture,
    draw_roll,
    sorted_out,
)


def paste(
    picture: Picture,
    crop: Image,
    roi: npt.ArrayLike,
    side: float,
    center: FloatArray,
    roll: float,
    mask: npt.NDArray[np.float32],
    sure: bool = False,
) -> Picture:
    """Paste a face crop, its box around `center` and of mean side `side`.

    `mask` (168, 168), 0 to 1, says what of the crop is shown, `roi` (3,) the center and side of its
    own ROI, `roll` turns it (degrees, counterclockwise), see
    `tddfa.detector_box.moved_boxes` for the box of a rolled face.
    A box that the new face covers becomes doubtful.
    """
    x, y, width = np.asarray(roi, np.float64)
    zoom = ROI_PER_BOX * side / width
    matrix = cv2.getRotationMatrix2D((x, y), roll, zoom)
    matrix[:, 2] += center + np.array([0, ROI_BELOW_BOX * side]) - (x, y)
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
        np.concatenate([picture.sure, grown(box[None], NEAR)]) if sure else picture.sure,
        picture.empty,
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
    crops: FaceCrops,
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
        number = crops.draws[generator.integers(len(crops.draws))]
        crop, mask = crops.images[number], draw_mask(crops.valid[number], generator)
        roi, sure = crops.roi[number].copy(), bool(crops.sure[number])
        if generator.random() < 0.5:
            crop, mask, roi[0] = crop[:, ::-1], mask[:, ::-1], CANVAS - roi[0]
        rolled = generator.random() < settings.rolled
        roll = float(np.clip(generator.normal(0, settings.roll), -60, 60))
        if rolled:
            roll = draw_roll(generator)
        elif not sure and generator.random() < settings.covered:
            # Only what another detector may still judge is covered.
            crop = _covered(crop, generator)
        center = generator.uniform(0.3 * side, size - 0.3 * side, 2).astype(np.float32)
        picture = paste(
            picture,
            np.ascontiguousarray(crop),
            roi,
            float(side),
            center,
            roll,
            np.ascontiguousarray(mask),
            sure or (rolled and abs(roll) > SURE_ROLL),
        )
    return sorted_out(picture)


def _covered(crop: Image, generator: np.random.Generator) -> Image:
    crop = crop.copy()
    width, height = generator.integers(20, 60, 2)
    x, y = generator.integers(40, 128 - 20, 2)
    crop[y : y + height, x : x + width] = generator.integers(0, 256, 3)
    return crop
