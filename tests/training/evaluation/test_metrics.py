import numpy as np
import pytest

from tddfa.ibug68 import LID_PAIRS, LIP_PAIRS
from training.evaluation import metrics


@pytest.fixture
def faces() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 100, (5, 3, 68))


def test_perfect_prediction_has_no_error(faces):
    report = metrics.nme(faces, faces, metrics.box_size(faces), np.array([0, 10, 40, -50, 80]))
    assert report.mean_of_bins == report.plain == 0
    assert report.bins == (0, 0, 0)


@pytest.mark.parametrize("faces_given", [0, 3])
def test_shapes_must_agree(faces, faces_given):
    with pytest.raises(ValueError, match="equal shapes"):
        metrics.nme(faces[:faces_given], faces, metrics.box_size(faces))


def test_shift_by_one_percent_of_the_size_is_one_percent(faces):
    size = metrics.box_size(faces)
    moved = faces + np.array([0.6, 0.8, 5.0])[:, None] * size[:, None, None] / 100
    report = metrics.nme(moved, faces, size)
    np.testing.assert_allclose(report.per_face, 1.0)
    np.testing.assert_allclose(metrics.mean_shift(moved, faces, size), [0.6, 0.8])
    back = metrics.without_shift(moved, faces, size)
    assert metrics.nme(back, faces[:, :2], size).plain < 1e-9


def test_bins_follow_the_magnitude_of_yaw_and_their_edges(faces):
    size = np.full(5, 100.0)
    moved = faces.copy()
    moved[:, 0] += np.array([1.0, 2.0, 3.0, 4.0, 5.0])[:, None]
    report = metrics.nme(moved, faces, size, np.array([0.0, -30.0, 30.1, 60.0, -90.0]))
    np.testing.assert_allclose(report.bins, [1.5, 3.5, 5.0])
    assert report.mean_of_bins == pytest.approx(10 / 3)
    assert report.plain == pytest.approx(3.0)


def test_empty_bins_are_left_out_of_the_mean(faces):
    report = metrics.nme(faces + 1, faces, np.full(5, 100.0), np.zeros(5))
    assert np.isnan(report.bins[1])
    assert report.mean_of_bins == pytest.approx(report.bins[0])
    assert np.isnan(metrics.nme(faces, faces, np.ones(5)).mean_of_bins)


def test_cumulative_error_counts_thresholds_in():
    share = metrics.cumulative_error(np.array([3.0, 1.0, 2.0, 2.0]), np.array([0.5, 2.0, 9.0]))
    np.testing.assert_allclose(share, [0, 0.75, 1])


def test_gaps_vanish_when_lids_and_lips_meet(faces):
    shut = faces.copy()
    for upper, lower in (*LID_PAIRS[0][:2], *LID_PAIRS[1][:2], *LIP_PAIRS):
        shut[:, :, upper] = shut[:, :, lower]
    assert not metrics.lid_gap(shut).any()
    assert not metrics.lip_gap(shut).any()
    assert (metrics.lid_gap(faces) > 0).all()


@pytest.mark.parametrize("degrees", [0.0, 1.0, 25.0, 170.0])
def test_rotation_error_is_the_angle_whatever_scale_and_place(faces, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    turned = 3 * (turn @ faces) + np.array([5.0, -7.0, 2.0])[:, None]
    np.testing.assert_allclose(metrics.rotation_error(turned, faces), degrees, atol=1e-5)


def test_steady_motion_does_not_shake(faces):
    track = faces[0] + np.arange(10)[:, None, None] * np.array([2.0, -1.0, 0.0])[:, None]
    assert metrics.jitter(track) == pytest.approx(0, abs=1e-9)
    track[5] += 1
    assert metrics.jitter(track) > 0
