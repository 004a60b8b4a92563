"""Errors on rendered heads, and on rolled faces, against answers that are known."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tddfa.errors import InputError
from training.detector.trials import Trial
from training.evaluation.benchmark_sets import LandmarkSet
from training.evaluation.profiles import measure_negatives, measure_profiles
from training.evaluation.rendered import (
    RenderedSet,
    angle_between,
    load_rendered,
    measure_rendered,
    roll_of,
    rotation_of,
    slope,
)
from training.evaluation.rolled import measure_rolled, roll_face
from training.labels.pseudo_labels import angles


def rotations(yaw, pitch, roll):
    stacked = np.column_stack([roll, np.negative(yaw), pitch])
    return Rotation.from_euler("ZYX", stacked, degrees=True).as_matrix()


POSES = rotations([0, 20, -40, 70, 0, 10], [-30, -10, 0, 5, 15, 30], [0, 10, -5, 20, 100, -20])


@pytest.fixture
def heads(model):
    shape = model.sparse.mean
    points = np.stack([0.4 * r @ shape for r in POSES])
    points[:, 1] *= -1
    points[:, :2] += 84
    images = np.zeros((len(POSES), 168, 168, 3), np.uint8)
    return RenderedSet(images, POSES.astype(np.float32), points.astype(np.float32))


def stub(heads, rotation):
    """An aligner that answers with given rotations and the true points."""
    numbers = iter(range(len(heads.points)))
    order = iter(range(len(heads.points)))

    def align(image, rois):
        param = np.zeros((1, 62), np.float32)
        param[0, :12] = np.column_stack([0.4 * rotation[next(numbers)], np.zeros(3)]).ravel()
        return param

    return SimpleNamespace(
        align_rois=align, recon_vers=lambda params, rois: [heads.points[next(order)]]
    )


def test_the_truth_has_no_error(heads):
    report = measure_rendered(stub(heads, POSES), heads)
    assert report["rotation_error_median"] < 0.05 and report["nme_mean"] == 0
    assert report["upright_pitch_slope"] == pytest.approx(1, abs=1e-3)
    assert report["upright"] == 5
    assert report["rotation_error_by_roll"]["90..120"] < 0.05


def test_compressed_pitch_is_seen_as_a_slope(heads):
    yaw, pitch = angles(POSES)
    squeezed = rotations(yaw, 0.7 * pitch, np.zeros(len(yaw)))
    report = measure_rendered(stub(heads, squeezed), heads)
    assert report["upright_pitch_slope"] == pytest.approx(0.7, abs=0.03)
    assert report["rotation_error_median"] > 3


def test_heads_that_a_detector_misses_are_counted(heads):
    def detector(image):
        return np.zeros((0, 5), np.float32)

    with pytest.raises(InputError, match="found"):
        measure_rendered(stub(heads, POSES), heads, detector)


def test_angles_of_rotations():
    np.testing.assert_allclose(angle_between(POSES, POSES), 0, atol=1e-4)
    turned = POSES @ rotations([0], [12], [0])
    np.testing.assert_allclose(angle_between(POSES, turned), 12, atol=1e-6)
    params = np.zeros((len(POSES), 62))
    params[:, :12] = np.concatenate([3 * POSES, np.ones((len(POSES), 3, 1))], 2).reshape(-1, 12)
    np.testing.assert_allclose(rotation_of(params), POSES, atol=1e-9)
    assert roll_of(rotations([0], [0], [100]))[0] == pytest.approx(100)


def test_a_slope_needs_different_truths():
    assert np.isnan(slope(np.zeros(3), np.arange(3.0))) and np.isnan(
        slope(np.zeros(0), np.zeros(0))
    )


def test_other_folders_are_refused(packed_folder, tmp_path):
    with pytest.raises(InputError, match="packed data set"):
        load_rendered(tmp_path)
    with pytest.raises(InputError, match=r"truth\.npz"):
        load_rendered(packed_folder)


@pytest.mark.parametrize("roll", [0, 30, 90, 180, -120])
def test_a_face_and_its_points_are_rolled_together(roll):
    picture = np.zeros((200, 240, 3), np.uint8)
    picture[60:63, 140:143] = 255
    points = np.full((2, 68), 100.0)
    points[:, 0], points[:, 1], points[:, 2] = (141, 61), (80, 130), (150, 70)
    turned, moved = roll_face(picture, points.astype(np.float32), roll)
    rows, columns = np.nonzero(turned[..., 0] > 120)
    assert columns.mean() == pytest.approx(moved[0, 0], abs=0.6)
    assert rows.mean() == pytest.approx(moved[1, 0], abs=0.6)


def test_no_upright_face_is_an_answer():
    lying = np.zeros((1, 2, 68), np.float32)
    lying[0, 1, 42:48] = 100
    faces = LandmarkSet("lying", [None], lying, np.zeros((1, 4), np.float32))
    assert measure_rolled(SimpleNamespace(), faces) == {"faces": 0}


def test_profiles_are_found_and_right_by_bin(heads):
    face = np.array([[40.0, 30, 130, 140]], np.float32)
    trials = [Trial("profiles 60-75", image, face) for image in heads.images[:4]]
    trials[3] = Trial("profiles 0-15", heads.images[3], face + 500)
    yaws = iter((70, 20, -85))

    def align(image, rois):
        param = np.zeros((1, 62), np.float32)
        rotation = rotations([next(yaws)], [0], [0])[0]
        param[0, :12] = np.column_stack([rotation, np.zeros(3)]).ravel()
        return param

    def detector(image):
        return np.array([[42, 30, 130, 142, 0.9]], np.float32)

    report = measure_profiles(SimpleNamespace(align_rois=align), detector, trials)
    assert report["faces"] == {"60-75": 3, "0-15": 1}
    assert report["found"] == {"60-75": 1.0, "0-15": 0.0}
    assert report["found_and_right"]["60-75"] == pytest.approx(2 / 3)


def test_faces_on_empty_pictures_are_counted(tmp_path):
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"empty_{number}x.png"), np.zeros((8, 8, 3), np.uint8))
    boxes = iter([np.zeros((2, 5))] + [np.zeros((0, 5))] * 20)
    report = measure_negatives(lambda image: next(boxes), tmp_path)
    assert 1 <= report["pictures"] < 12
    assert report["faces_per_picture"] == pytest.approx(2 / report["pictures"])
    with pytest.raises(InputError, match="expected a folder"):
        measure_negatives(lambda image: next(boxes), tmp_path / "none")
