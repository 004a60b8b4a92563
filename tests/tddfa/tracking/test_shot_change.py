import cv2
import numpy as np
import pytest

from tddfa.tracking.shot_change import ShotDetector


@pytest.fixture
def scenes():
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 255, (2, 9, 16, 3))
    return [np.kron(b, np.ones((20, 20, 1))).astype(np.uint8) for b in blocks]


def cuts(frames):
    detector = ShotDetector()
    return [number for number, frame in enumerate(frames) if detector(frame)]


def test_first_frame_begins_a_shot(scenes):
    assert cuts(scenes[:1]) == [0]


def test_cut_is_found_once(scenes):
    assert cuts([scenes[0]] * 4 + [scenes[1]] * 4) == [0, 4]


def test_short_shot(scenes):
    assert cuts([scenes[0]] * 5 + [scenes[1]] * 5 + [scenes[0]] * 5) == [0, 5, 10]


def test_still_picture_has_none(scenes):
    detector = ShotDetector()
    assert [detector(scenes[0]) for _ in range(3)] == [True, False, False]
    assert detector.still


def test_pan_is_no_cut(scenes):
    wide = cv2.blur(np.hstack(scenes), (61, 61))
    assert cuts([wide[:, x : x + 320].copy() for x in range(0, 300, 12)]) == [0]


@pytest.mark.parametrize("gain", [0.3, 0.6, 1.5])
def test_flash_is_no_cut(scenes, gain):
    lit = np.clip(scenes[0] * gain, 0, 255).astype(np.uint8)
    assert cuts([scenes[0], lit, scenes[0], scenes[0]]) == [0]


def test_noise_is_no_cut_but_no_copy_either(scenes):
    rng = np.random.default_rng(2)
    detector = ShotDetector()
    for number in range(6):
        noise = rng.integers(-40, 40, scenes[0].shape)
        assert detector(np.clip(scenes[0] + noise, 0, 255).astype(np.uint8)) == (number == 0)
    assert not detector.still


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 5000, 3), (720, 3, 3)])
def test_odd_sizes(shape):
    black, white = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    assert cuts([black, black, white]) == [0, 2]


def test_change_of_size_begins_a_shot(scenes):
    assert cuts([scenes[0], scenes[0][:100]]) == [0, 1]
