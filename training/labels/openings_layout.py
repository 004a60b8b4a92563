"""MediaPipe's points that stand for some of the 68 iBUG landmarks."""

import numpy as np
import numpy.typing as npt

from tddfa.ibug68 import MEDIAPIPE, N_LANDMARKS


def openings_layout(points: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return (n, 2, 68) landmarks of MediaPipe points (n, 478, 3); absent ones are NaN."""
    landmarks = np.full((len(points), 2, N_LANDMARKS), np.nan, np.float32)
    for landmark, source in MEDIAPIPE.items():
        landmarks[:, :, landmark] = points[:, source, :2]
    return landmarks
