"""Mixing a drawing over a picture where faces are, and only there."""

import cv2
import numpy as np

from tddfa.drawing.checks import FloatArray
from tddfa.picture import ImageArray

Box = tuple[int, int, int, int]


def face_box(vertices: FloatArray, height: int, width: int, margin: int = 0) -> Box:
    """Return left, top, right, bottom (exclusive) of the pixels that a face can cover.

    Vertices (2|3, N); those that are not finite do not count, `margin` pixels around them do. The
    box is clipped to the picture and empty (0, 0, 0, 0) where nothing of the face is in it.
    """
    points = vertices[:2]
    low, high = points.min(axis=1, initial=np.inf), points.max(axis=1, initial=-np.inf)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        points = points[:, np.isfinite(points).all(axis=0)]
        if not points.size:
            return 0, 0, 0, 0
        low, high = points.min(axis=1), points.max(axis=1)
    limits = (width, height)
    left, top = (int(value) for value in np.clip(np.floor(low) - margin, 0, limits))
    right, bottom = (int(value) for value in np.clip(np.floor(high) + 1 + margin, 0, limits))
    return (left, top, right, bottom) if left < right and top < bottom else (0, 0, 0, 0)


def merge_boxes(boxes: list[Box]) -> list[Box]:
    """Join boxes that overlap, until none do; empty ones are dropped."""
    disjoint: list[Box] = []
    for box in boxes:
        if box[0] >= box[2] or box[1] >= box[3]:
            continue
        clear = False
        while not clear:
            clear = True
            for other in disjoint:
                if max(box[0], other[0]) < min(box[2], other[2]) and max(box[1], other[1]) < min(
                    box[3], other[3]
                ):
                    disjoint.remove(other)
                    box = (
                        min(box[0], other[0]),
                        min(box[1], other[1]),
                        max(box[2], other[2]),
                        max(box[3], other[3]),
                    )
                    clear = False
                    break
        disjoint.append(box)
    return disjoint


def blend(
    picture: ImageArray,
    drawing: ImageArray,
    alpha: float,
    faces: list[FloatArray],
    margin: int = 0,
) -> None:
    """Replace `drawing` by picture·(1 − alpha) + drawing·alpha, in place.

    Where no face is, the drawing is the picture, and mixing a picture with itself gives itself: the
    boxes around the faces are enough.
    """
    height, width = picture.shape[:2]
    boxes = [face_box(vertices, height, width, margin) for vertices in faces]
    for left, top, right, bottom in merge_boxes(boxes):
        part = drawing[top:bottom, left:right]
        cv2.addWeighted(picture[top:bottom, left:right], 1 - alpha, part, alpha, 0, dst=part)
