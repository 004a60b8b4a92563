"""MediaPipe's points on the edges of lips and lids, which must open and close with them."""

from __future__ import annotations

import numpy as np

from tddfa import mediapipe478 as points
from training.face_model.geometry import Geometry


def edges(g: Geometry) -> dict[int, np.ndarray]:
    """Return the vertices that points of the inner lips and of the lids are bound to."""
    lips, (right, left) = g.lips, g.lids
    out: dict[int, np.ndarray] = {}
    for numbers, choice in (
        (points.UPPER_INNER_LIP, lips.upper[1:-1]),
        (points.LOWER_INNER_LIP, lips.lower[1:-1]),
        (points.RIGHT_UPPER_LID, right.upper[1:-1]),
        (points.RIGHT_LOWER_LID, right.lower[1:-1]),
        (points.LEFT_UPPER_LID, left.upper[1:-1]),
        (points.LEFT_LOWER_LID, left.lower[1:-1]),
        (points.INNER_LIP_CORNERS[:1], lips.upper[:1]),
        (points.INNER_LIP_CORNERS[1:], lips.upper[-1:]),
        (points.RIGHT_LID_CORNERS[:1], right.upper[:1]),
        (points.RIGHT_LID_CORNERS[1:], right.upper[-1:]),
        (points.LEFT_LID_CORNERS[:1], left.upper[-1:]),
        (points.LEFT_LID_CORNERS[1:], left.upper[:1]),
    ):
        out |= dict.fromkeys(numbers, choice)
    return out
