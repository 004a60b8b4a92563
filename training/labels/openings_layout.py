"""MediaPipe's points that stand for some of the 68 iBUG landmarks."""

import numpy as np
import numpy.typing as npt

# Landmark -> MediaPipe index, for the parts where both mark the same spot: brows, nose bridge and
# base, eyes, lips. The jaw line has no fixed points there. See shared definitions in
# Lugaresi et al., "MediaPipe: A Framework for Building Perception Pipelines", 2019.
EYES = dict(
    zip(range(36, 48), (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380), strict=True)
)
INNER_LIPS = dict(zip(range(60, 68), (78, 81, 13, 311, 308, 402, 14, 178), strict=True))
BROWS = dict(zip(range(17, 27), (70, 63, 105, 66, 107, 336, 296, 334, 293, 300), strict=True))
NOSE = dict(zip(range(27, 36), (168, 197, 5, 4, 98, 97, 2, 326, 327), strict=True))
SHARED = BROWS | NOSE | EYES | INNER_LIPS


def openings_layout(points: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return (n, 2, 68) landmarks of MediaPipe points (n, 478, 3); absent ones are NaN."""
    landmarks = np.full((len(points), 2, 68), np.nan, np.float32)
    for landmark, source in SHARED.items():
        landmarks[:, :, landmark] = points[:, source, :2]
    return landmarks
