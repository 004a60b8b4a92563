"""Small text on video: ids beside faces, figures in a corner."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from tddfa.face import Face
from tddfa.picture import ImageArray

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DARK, _LIGHT = (0, 0, 0), (255, 255, 255)
# BGR; ids take them in turn.
PALETTE = (
    (80, 200, 255),
    (120, 220, 90),
    (255, 170, 80),
    (200, 120, 255),
    (90, 240, 240),
    (255, 140, 190),
)


def draw_text(
    img: ImageArray, text: str, corner: tuple[int, int], size: float, color: Sequence[int] = _LIGHT
) -> None:
    """Write a line in place, with a dark rim; `corner` is its lower left, `size` its height."""
    scale, (x, y) = size / 22, corner
    thickness, rim = max(1, round(scale * 1.4)), max(1, round(size / 16))
    # The rim is made of copies: a thicker font would be a wider one, too.
    rims = [(x + dx, y + dy) for dx in (-rim, 0, rim) for dy in (-rim, 0, rim) if dx or dy]
    for place, shade in [*((place, _DARK) for place in rims), (corner, color)]:
        cv2.putText(img, text, place, _FONT, scale, shade, thickness, cv2.LINE_AA)


def draw_labels(img: ImageArray, faces: Iterable[Face]) -> None:
    """Draw each face's box, id and score in place."""
    height, width = img.shape[:2]
    for face in faces:
        color = PALETTE[(face.track_id or 0) % len(PALETTE)]
        limits = (width - 1, height - 1) * 2
        left, top, right, bottom = (int(v) for v in np.clip(face.box, 0, limits).round())
        cv2.rectangle(img, (left, top), (right, bottom), color, 1, cv2.LINE_AA)
        size = float(np.clip((right - left) / 6, 9, 22))
        corner = (left, max(top - 4, round(size) + 2))
        number = "" if face.track_id is None else f"{face.track_id} "
        draw_text(img, f"{number}{face.score:.2f}", corner, size, color)


def draw_status(img: ImageArray, lines: Sequence[str]) -> None:
    """Write lines into the upper left corner in place."""
    size = float(np.clip(min(img.shape[0] / 28, img.shape[1] / 44), 9, 26))
    for row, line in enumerate(lines, 1):
        draw_text(img, line, (round(size / 2), round(row * 1.5 * size)), size)
