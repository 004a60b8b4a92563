import pickle

import numpy as np
import pytest

from tddfa.detector import Detector, DetectorBase, FunctionDetector
from tddfa.errors import InputError
from tddfa.face_check.check import SIZE, FaceCheck
from tddfa.face_check.checked_detector import CheckedDetector, CheckSettings
from tddfa.face_check.looks import logit_of

GRAY = np.full((200, 300, 3), 90, np.uint8)
BRIGHT, DARK = [20.0, 20, 60, 70], [150.0, 60, 190, 110]


class BrightnessCheck(FaceCheck):
    """A face is what is bright; it leans to the left by 90 degrees."""

    def forward(self, crops):
        assert crops.shape[1:] == (3, SIZE, SIZE)
        answers = np.zeros((len(crops), 6), np.float32)
        answers[:, 0] = np.sign(crops.mean(axis=(1, 2, 3))) * 3
        answers[:, 2] = 1
        return answers


@pytest.fixture
def picture():
    image = GRAY.copy()
    image[:120, :110] = 220
    return image


def detector(*rows):
    return FunctionDetector(lambda _: np.array(rows, np.float32).reshape(-1, 5))


def test_a_picture_without_candidates_has_no_face():
    checked = CheckedDetector(detector(), BrightnessCheck())
    assert checked.detect(GRAY).shape == (0, 5)
    assert checked.scan(np.zeros((0, 3, 120, 120), np.float32)) == []
    assert checked.score_crops(np.zeros((0, 3, 120, 120), np.float32), np.zeros((0, 4))).size == 0


def test_the_check_decides_between_weak_candidates(picture):
    checked = CheckedDetector(detector([*DARK, 0.45], [*BRIGHT, 0.4]), BrightnessCheck())
    (found,) = checked.detect(picture)
    np.testing.assert_allclose(found[:4], BRIGHT)
    expected = 3 + checked.check_settings.detector_weight * logit_of(0.4)
    assert logit_of(found[4]) == pytest.approx(expected, rel=1e-4)


def test_the_threshold_is_of_the_joint_score(picture):
    rows = ([*DARK, 0.9], [*BRIGHT, 0.5])
    strict = CheckedDetector(detector(*rows), BrightnessCheck(), vis_thres=0.99)
    assert len(strict.detect(picture)) == 0
    assert len(strict.detect(picture, least_score=0.01)) == 2
    scores = strict.detect(picture, least_score=0.0)[:, 4]
    assert (np.diff(scores) <= 0).all()


def test_what_is_too_small_to_be_cut_out_is_dropped(picture):
    checked = CheckedDetector(detector([20, 20, 21, 21, 0.9]), BrightnessCheck())
    assert checked.detect(picture).shape == (0, 5)


def test_it_is_a_detector_with_the_settings_of_the_one_inside():
    checked = CheckedDetector(detector(), BrightnessCheck())
    assert isinstance(checked, Detector) and isinstance(checked, DetectorBase)
    assert checked.settings is None and checked.vis_thres == 0.5


def test_crops_are_scored_at_the_place(picture):
    crops = np.full((1, 3, 120, 120), -0.5, np.float32)
    crops[:, :, :, :60] = 0.9
    checked = CheckedDetector(detector(), BrightnessCheck())
    left, right = [[0.1, 0.35, 0.35, 0.6]], [[0.65, 0.35, 0.9, 0.6]]
    assert checked.score_crops(crops, np.array(left, np.float32)) > 0.9
    assert checked.score_crops(crops, np.array(right, np.float32)) < 0.1
    (found,) = checked.scan(crops)
    assert found.shape == (1, 5)


class RollTold(FaceCheck):
    """Say one roll after the other, with a certainty."""

    def __init__(self, *rolls, certainty=1.0):
        self.rolls, self.certainty = list(rolls), certainty

    def forward(self, crops):
        angle = np.radians(self.rolls.pop(0) if self.rolls else 0.0)
        answer = [1, self.certainty * np.cos(angle), self.certainty * np.sin(angle), 0, 0, 0]
        return np.tile(np.array(answer, np.float32), (len(crops), 1))


def test_only_far_rolled_and_certain_faces_are_turned(picture):
    assert RollTold(90.0).turns(picture, [[0, 0, 100, 100]]) == pytest.approx([90.0])
    assert RollTold(20.0).turns(picture, [[0, 0, 100, 100]]) == [0.0]
    check = RollTold(90.0, certainty=0.3)
    assert check.turns(picture, [[0, 0, 100, 100]]) == [0.0]
    assert check.turns(picture, []) == []


def test_what_is_turned_is_looked_at_again_as_turned(picture):
    roi = [[0, 0, 100, 100]]
    assert RollTold(170.0, 25.0, -5.0).turns(picture, roi) == pytest.approx([-170.0], abs=1e-3)
    assert RollTold(60.0, -40.0).turns(picture, roi) == [0.0]


@pytest.mark.parametrize("size", [60, 120, 240])
def test_crops_of_any_size_are_looked_at(size):
    crops = np.full((3, 3, size, size), 0.5, np.float32)
    assert (BrightnessCheck()(crops).score > 0.9).all()


def test_a_threshold_out_of_range_is_named():
    with pytest.raises(InputError, match="candidate_score"):
        CheckSettings(candidate_score=1.5)


def test_settings_can_be_pickled():
    assert pickle.loads(pickle.dumps(CheckSettings())) == CheckSettings()
