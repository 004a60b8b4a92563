import logging

import numpy as np
import pytest

from tddfa.drawing.pose_box import calc_pose, plot_pose_box, pose_box, viz_pose
from tddfa.errors import InputError
from tddfa.io.pictures import imread


@pytest.fixture(scope="module")
def aligned(golden):
    arrays = np.load(golden / "tddfa_mb05.npz")
    names = ("param", "sparse", "yaw_pitch_roll_deg")
    return [arrays[f"trump_hillary_{name}"] for name in names]


def landmarks(side=100.0, center=(200.0, 150.0)):
    """Return 68 points whose box is a square, jaw and brows centered in it."""
    angle = np.linspace(0, 2 * np.pi, 27, endpoint=False)
    points = np.zeros((3, 68), np.float32)
    points[0, :27], points[1, :27] = np.cos(angle), np.sin(angle)
    points[:2] /= np.ptp(points[:2], axis=1).max() / side
    points[:2] += np.array(center)[:, None]
    return points


def camera(yaw=0.0, pitch=0.0, roll=0.0):
    """Return [R | t] with the angles (degrees) that calc_pose reads off it."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = [[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    rotation = np.array(about_z) @ about_y @ about_x
    return np.c_[rotation, [7.0, -5.0, 3.0]]


@pytest.mark.parametrize("angles", [(0, 0, 0), (20, -10, 35), (-70, 30, -80)])
def test_camera_of_this_test_has_the_angles_it_says(angles):
    param = np.zeros(62)
    param[:12] = camera(*angles).ravel()
    np.testing.assert_allclose(calc_pose(param)[1], angles, atol=1e-4)


def test_box_of_a_frontal_face():
    points = landmarks()
    box = pose_box(camera(), points)
    rear = 100 * np.sqrt(2) / 3
    center = points[:2, :27].mean(axis=1)
    for corners, half in ((box[:4], rear), (box[4:], rear * 4 / 3)):
        np.testing.assert_allclose(np.abs(corners - center), half, rtol=1e-5)


@pytest.mark.parametrize(
    ("angles", "axis", "sign"), [((30, 0, 0), 0, -1), ((0, 30, 0), 1, 1), ((0, -30, 0), 1, -1)]
)
def test_front_leans_where_the_face_looks(angles, axis, sign):
    """Positive yaw looks to the picture's left, positive pitch down (y grows)."""
    box = pose_box(camera(*angles), landmarks())
    shift = box[4:].mean(axis=0) - box[:4].mean(axis=0)
    length = 100 * np.sqrt(2) / 3 * 4 / 3
    np.testing.assert_allclose(shift[axis], sign * length / 2, rtol=1e-4)
    np.testing.assert_allclose(shift[1 - axis], 0, atol=1e-4)


@pytest.mark.parametrize("angles", [(0, 0, 0), (20, -10, 35), (-70, 30, -80)])
def test_rear_square_is_centered_on_jaw_and_brows(angles):
    points = landmarks()
    center = pose_box(camera(*angles), points)[:4].mean(axis=0)
    np.testing.assert_allclose(center, points[:2, :27].mean(axis=1), atol=1e-3)


def test_viz_pose_draws_and_logs_every_face(picture, aligned, caplog, tmp_path):
    params, points, angles = aligned
    with caplog.at_level(logging.INFO, logger="tddfa.drawing.pose_box"):
        out = viz_pose(picture, list(params), list(points), wfp=tmp_path / "a.png")
    np.testing.assert_array_equal(imread(tmp_path / "a.png"), out)
    assert len(caplog.records) == 2
    for record, (yaw, pitch, roll) in zip(caplog.records, angles, strict=True):
        expected = f"yaw: {yaw:.1f}, pitch: {pitch:.1f}, roll: {roll:.1f}"
        assert expected in record.getMessage()
    for param, face in zip(params, points, strict=True):
        for x, y in np.rint(pose_box(calc_pose(param)[0], face)).astype(int):
            near = out[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).astype(int)
            assert np.abs(near - (40, 255, 0)).max(axis=1).min() < 40


def test_plot_draws_in_place():
    img = np.zeros((300, 400, 3), np.uint8)
    assert plot_pose_box(img, camera(), landmarks(), color=(1, 2, 250)) is img
    assert img[..., 2].max() == 250


def test_no_face(picture):
    np.testing.assert_array_equal(viz_pose(picture, [], []), picture)


@pytest.mark.parametrize("center", [(-1e4, 0.0), (0.0, 0.0), (3e30, 0.0), (np.nan, 0.0)])
def test_outside_and_not_finite(center):
    img = np.zeros((50, 60, 3), np.uint8)
    param = np.zeros(62)
    param[:12] = camera().ravel()
    assert viz_pose(img, [param], [landmarks(center=center)]).shape == img.shape
    assert not viz_pose(img, [param * 0], [landmarks()]).any()


def test_wrong_arguments(picture):
    param = np.ones(62)
    for arguments in [
        (picture, [param], []),
        (picture, [param], [landmarks()[:, :5]]),
        (picture, [param[:50]], [landmarks()]),
        (picture[..., 0], [param], [landmarks()]),
    ]:
        with pytest.raises(InputError):
            viz_pose(*arguments)
