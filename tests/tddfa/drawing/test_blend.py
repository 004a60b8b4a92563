import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tddfa.drawing.blend import blend, face_box, merge_boxes

BOXES = st.lists(st.tuples(*[st.integers(0, 30)] * 4), max_size=8)


@given(BOXES)
def test_merged_boxes_cover_all_and_overlap_nowhere(boxes):
    wanted = np.zeros((30, 30), bool)
    for left, top, right, bottom in boxes:
        wanted[top:bottom, left:right] = True
    count = np.zeros((30, 30), int)
    for left, top, right, bottom in merge_boxes(boxes):
        assert left < right and top < bottom
        count[top:bottom, left:right] += 1
    assert count.max() <= 1
    assert (count[wanted] == 1).all()


@pytest.mark.parametrize(
    ("points", "box"),
    [
        (np.empty((3, 0)), (0, 0, 0, 0)),
        ([[1.2, 3.0], [4.9, 4.1], [0, 0]], (1, 4, 4, 5)),
        ([[-5, 500], [-0.5, 7.5], [0, 0]], (0, 0, 20, 8)),
        ([[-5, -3], [1, 2], [0, 0]], (0, 0, 0, 0)),
        ([[np.nan, 3, 5], [1, np.inf, 6], [0, 0, 0]], (5, 6, 6, 7)),
        ([[np.nan], [1], [0]], (0, 0, 0, 0)),
    ],
)
def test_face_box(points, box):
    assert face_box(np.array(points, np.float32), height=10, width=20) == box


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_share_of_the_drawing(alpha):
    picture = np.full((8, 9, 3), 200, np.uint8)
    drawing = picture.copy()
    drawing[2:5, 3:6] = (0, 100, 240)
    face = np.array([[3, 5], [2, 4], [0, 0]], np.float32)
    expected = np.rint(picture * (1 - alpha) + drawing * alpha)
    blend(picture, drawing, alpha, [face])
    np.testing.assert_array_equal(drawing, expected)
    assert (picture == 200).all()
