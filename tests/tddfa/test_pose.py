import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tddfa.pose import calc_pose, decompose_camera, head_pose, rotation_to_angles


def rotation(yaw, pitch, roll):
    """R = Rz(roll)·Ry(−yaw)·Rx(pitch), the order that the formulas of the angles imply."""
    return Rotation.from_euler("ZYX", [roll, -yaw, pitch], degrees=True).as_matrix()


def vector(matrix, scale=1.0, offset=(0, 0, 0)):
    param = np.zeros(62, np.float32)
    param[:12] = np.c_[scale * np.asarray(matrix), offset].ravel()
    return param


@pytest.mark.parametrize("yaw", [-85, -30, 0, 45, 80])
@pytest.mark.parametrize("pitch", [-60, 0, 20])
@pytest.mark.parametrize("roll", [-100, -10, 0, 40])
def test_angles_are_recovered(yaw, pitch, roll):
    pose = head_pose(vector(rotation(yaw, pitch, roll), 5e-4, (60, 61, -70)))
    np.testing.assert_allclose([pose.yaw, pose.pitch, pose.roll], [yaw, pitch, roll], atol=2e-3)
    assert pose.scale == pytest.approx(5e-4, rel=1e-5)
    np.testing.assert_allclose(pose.translation, [60, 61, -70])


def test_signs_in_the_picture():
    """Yaw moves the nose tip left, pitch moves it down, roll tilts the crown left."""
    nose, crown = np.array([0, 0, 1.0]), np.array([0, 1.0, 0])
    assert (rotation(20, 0, 0) @ nose)[0] < 0
    assert (rotation(0, 20, 0) @ nose)[1] < 0  # y is up here
    assert (rotation(0, 0, 20) @ crown)[0] < 0


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("rest", [-50, 0, 30])
def test_gimbal_lock_keeps_the_rotation(sign, rest):
    matrix = rotation(sign * 90, rest, 0)
    yaw, pitch, roll = rotation_to_angles(matrix)
    assert yaw == sign * 90
    assert roll == 0
    np.testing.assert_allclose(rotation(yaw, pitch, roll), matrix, atol=1e-6)


def test_zero_camera_is_not_a_crash():
    assert math.isnan(head_pose(np.zeros(62)).yaw)


def test_third_row_is_made_orthogonal():
    camera = np.c_[np.diag([2.0, 2.0, 17.0]), [1, 2, 3]]
    scale, matrix, offset = decompose_camera(camera)
    assert scale == 2
    np.testing.assert_array_equal(matrix, np.eye(3))
    np.testing.assert_array_equal(offset, [1, 2, 3])


@pytest.mark.parametrize("name", ["emma", "trump_hillary", "JianzhuGuo"])
def test_reference_poses(golden, name):
    data = np.load(golden / "tddfa_mb05.npz")
    for param, angles, scale in zip(
        data[f"{name}_param"],
        data[f"{name}_yaw_pitch_roll_deg"],
        data[f"{name}_scale"],
        strict=True,
    ):
        camera, pose = calc_pose(param)
        np.testing.assert_allclose(pose, angles, atol=0.01)
        assert camera.shape == (3, 4)
        assert head_pose(param).scale == pytest.approx(scale, rel=1e-5)
