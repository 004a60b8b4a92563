"""The 68 iBUG landmarks by part (Sagonas et al., "300 Faces in-the-Wild Challenge", 2013).

Right and left are the subject's; seen in a picture that is not mirrored, right comes first.
"""

from types import MappingProxyType

import numpy as np

N_LANDMARKS = 68

JAW = range(0, 17)
RIGHT_BROW = range(17, 22)
LEFT_BROW = range(22, 27)
NOSE_BRIDGE = range(27, 31)
NOSE_BASE = range(31, 36)
RIGHT_EYE = range(36, 42)
LEFT_EYE = range(42, 48)
OUTER_LIPS = range(48, 60)
INNER_LIPS = range(60, 68)

# The 51 points of the inner face; the jaw line slides along the outline.
INNER = np.arange(17, N_LANDMARKS)
INNER.flags.writeable = False
OUTER_EYE_CORNERS = (36, 45)

# Of each eye two pairs of opposite points, upper and lower lid, then the corners that they are
# measured against; of the mouth three pairs of inner lips, and its corners.
LID_PAIRS = (((37, 41), (38, 40), (36, 39)), ((43, 47), (44, 46), (42, 45)))
LIP_PAIRS = ((61, 67), (62, 66), (63, 65))
LIP_CORNERS = (60, 64)

# Lines to draw: first point, one past the last, closed.
OUTLINES = (
    (0, 17, False),  # jaw
    (17, 22, False),  # brows
    (22, 27, False),
    (27, 36, False),  # nose: bridge, then base
    (36, 42, True),  # eyes
    (42, 48, True),
    (48, 60, True),  # lips: outer, inner
    (60, 68, True),
)

# Each landmark's partner on the other side of the face.
MIRROR = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
     45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,
     64, 63, 62, 61, 60, 67, 66, 65]
)  # fmt: skip
MIRROR.flags.writeable = False

# Landmark -> MediaPipe's point, for the parts where both mark the same spot. The jaw line has no
# fixed points there, and the outer lips lie between points (`training.face_model`).
MEDIAPIPE = MappingProxyType(
    dict(
        zip(
            (*RIGHT_BROW, *LEFT_BROW, *NOSE_BRIDGE, *NOSE_BASE, *RIGHT_EYE, *LEFT_EYE, *INNER_LIPS),
            (
                70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
                168, 197, 5, 4, 98, 97, 2, 326, 327,
                33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
                78, 81, 13, 311, 308, 402, 14, 178,
            ),
            strict=True,
        )
    )
)  # fmt: skip
