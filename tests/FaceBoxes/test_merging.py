import numpy as np
import pytest

from FaceBoxes.merging import each_once, not_among

NONE = np.zeros((0, 5), np.float32)


def rows(*boxes):
    return np.array(boxes, np.float32).reshape(-1, 5)


def test_nothing_is_an_answer():
    face = rows([0, 0, 10, 10, 0.9])
    assert each_once(NONE, 0.3).shape == not_among(NONE, face, 0.3).shape == (0, 5)
    np.testing.assert_array_equal(not_among(face, NONE, 0.3), face)
    np.testing.assert_array_equal(each_once(face, 0.3), face)


# Beside a box of 40 x 40: IoU, and the part of the smaller one that both have in common.
@pytest.mark.parametrize(
    ("other", "same"),
    [
        ([16, 0, 56, 40], True),  # IoU 0.43, 0.6 of it
        ([25, 0, 65, 40], False),  # IoU 0.23
        ([10, 10, 20, 20], True),  # within: IoU 0.06
        ([33, 0, 43, 10], True),  # 0.7 of it
        ([35, 0, 45, 10], False),  # 0.5 of it
        ([40, 0, 80, 40], False),
        ([5, 5, 5, 5], False),  # empty
    ],
)
def test_one_face_twice(other, same):
    first, second = rows([0, 0, 40, 40, 0.6]), rows([*other, 0.9])
    assert len(not_among(second, first, 0.3)) == (0 if same else 1)
    kept = each_once(np.concatenate([first, second]), 0.3)
    assert len(kept) == (1 if same else 2)
    assert kept[0, 4] == np.float32(0.9)  # the clearer one stays


def test_rows_fall_by_score():
    boxes = rows([0, 0, 10, 10, 0.5], [20, 0, 30, 10, 0.9], [40, 0, 50, 10, 0.7])
    assert each_once(boxes, 0.3)[:, 4].tolist() == pytest.approx([0.9, 0.7, 0.5])
