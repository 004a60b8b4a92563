import numpy as np
import pytest

from tddfa.face_check.looks import Looks, logit_of, probability
from tddfa.roi import parse_roi_box_from_bbox


def test_no_answers_are_no_looks():
    looks = Looks.of(np.zeros((0, 6), np.float32))
    assert looks.score.shape == (0,) and looks.boxes.shape == (0, 4)


@pytest.mark.parametrize("degrees", [-170.0, -90.0, 0.0, 45.0, 179.0])
def test_roll_is_read_from_cosine_and_sine_of_any_length(degrees):
    angle = np.radians(degrees)
    answers = np.array([[0, 0.6 * np.cos(angle), 0.6 * np.sin(angle), 0, 0, 0]], np.float32)
    looks = Looks.of(answers)
    assert looks.roll == pytest.approx([degrees], abs=1e-3)
    assert looks.certainty == pytest.approx([0.6])


def test_the_roi_of_a_box_is_the_square_that_was_answered():
    looks = Looks.of(np.array([[2, 1, 0, 0.1, -0.05, np.log(0.8)]], np.float32))
    left, top, right, bottom = parse_roi_box_from_bbox(looks.boxes[0] * 1000)
    assert (left + right) / 2 == pytest.approx(600, abs=1)
    assert (top + bottom) / 2 == pytest.approx(450, abs=1)
    assert right - left == pytest.approx(800, abs=2)


def test_probabilities_and_logits_are_inverse_and_bounded():
    scores = np.array([0.01, 0.5, 0.9], np.float32)
    np.testing.assert_allclose(probability(logit_of(scores)), scores, rtol=1e-5)
    assert np.isfinite(logit_of([0.0, 1.0])).all()
    assert np.isfinite(probability([-1e9, 1e9])).all()
