"""MediaPipe's face points by part.

Numbers of the face mesh's vertices (Lugaresi et al., "MediaPipe: A Framework for Building
Perception Pipelines", 2019). Right and left are the subject's. The last ten of the 478 points are
the irises'.
"""

N_MESH = 468
N_POINTS = 478

# From below the ear to the middle of the chin.
RIGHT_JAW = (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152)
LEFT_JAW = (356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152)
# The hairline, from its middle to both sides.
HAIRLINE = (10, 109, 67, 103, 54, 21, 162, 338, 297, 332, 284, 251, 389)

RIGHT_BROW = (70, 63, 105, 66, 107)
LEFT_BROW = (336, 296, 334, 293, 300)

# Lids from the outer to the inner corner; the corners (outer, inner) are not part of them.
RIGHT_UPPER_LID = (246, 161, 160, 159, 158, 157, 173)
RIGHT_LOWER_LID = (7, 163, 144, 145, 153, 154, 155)
RIGHT_LID_CORNERS = (33, 133)
LEFT_UPPER_LID = (466, 388, 387, 386, 385, 384, 398)
LEFT_LOWER_LID = (249, 390, 373, 374, 380, 381, 382)
LEFT_LID_CORNERS = (263, 362)
EYES = (
    *RIGHT_LID_CORNERS, *RIGHT_UPPER_LID, *RIGHT_LOWER_LID,
    *LEFT_LID_CORNERS, *LEFT_UPPER_LID, *LEFT_LOWER_LID,
)  # fmt: skip
# The middle of each lid, right and left.
UPPER_LID_MIDDLES, LOWER_LID_MIDDLES = (159, 386), (145, 374)

# From the right corner over the top to the left one; the corners are part of neither inner lip.
UPPER_INNER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
INNER_LIP_CORNERS = (78, 308)
INNER_LIP_MIDDLES = (13, 14)
# A closed contour, from the right corner over the top.
OUTER_LIPS = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
)  # fmt: skip
OUTER_LIP_CORNERS = (61, 291)

# From between the eyes to the tip.
NOSE_RIDGE = (168, 6, 197, 195, 5, 4)
NOSE_BASE = (98, 97, 2, 326, 327)
