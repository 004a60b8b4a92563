import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tddfa.errors import InputError
from tddfa.params import split_params
from tddfa.pose import head_pose
from tddfa.reconstruct import image_cameras
from tddfa.roi import network_input
from tddfa.upright import in_plane_roll, turn_params, turned_input

Y, X = np.mgrid[:200, :240]
# A picture that is smooth, so that sampling it between pixels is exact, and different everywhere.
RAMPS = np.stack([X, Y, (X + Y) / 2], axis=2).astype(np.uint8)
ROIS = [[60.0, 40.0, 180.0, 160.0], [70.0, 60.0, 130.0, 120.0]]


def rotation(axis, degrees):
    a, (i, j) = np.radians(degrees), [(1, 2), (2, 0), (0, 1)]["xyz".index(axis)]
    matrix = np.eye(3)
    matrix[[i, i, j, j], [i, j, i, j]] = np.cos(a), -np.sin(a), np.sin(a), np.cos(a)
    return matrix


def face(yaw, pitch, roll, offset=(0.0, 0.0)):
    turn = rotation("z", roll) @ rotation("y", yaw) @ rotation("x", pitch)
    params = np.zeros(62)
    camera = np.column_stack([0.5 * turn, [60.5 + offset[0], 60.5 + offset[1], 0]])
    params[:12] = camera.ravel()
    return params


@pytest.mark.parametrize("yaw", [-90, -40, 0, 60, 90])
@pytest.mark.parametrize("roll", [-170, -90, -20, 0, 45, 130])
def test_roll_is_seen_at_any_yaw(yaw, roll):
    assert in_plane_roll([face(yaw, 0, roll)]) == pytest.approx([roll], abs=1e-3)


def test_roll_has_the_poses_sign():
    params = face(10, 0, 25)
    assert np.sign(in_plane_roll([params])[0]) == np.sign(head_pose(params).roll)


def test_no_turn_is_the_plain_crop():
    plain = network_input(RAMPS, ROIS)
    assert (turned_input(RAMPS, ROIS, [0, 0]) == plain).all()
    params = np.stack([face(10, 5, 3), face(-50, 0, 8)]).astype(np.float32)
    np.testing.assert_allclose(turn_params(params, [0, 0]), params, atol=1e-5)


@given(st.floats(-180, 180), st.floats(-70, 70), st.floats(-40, 40))
def test_turning_there_and_back_changes_nothing(angle, yaw, shift):
    params = face(yaw, 10, 20, (shift, -shift))[None]
    back = turn_params(turn_params(params, [angle]), [-angle])
    np.testing.assert_allclose(back, params, atol=1e-4)


@pytest.mark.parametrize("angle", [-150.0, -90, -33, 20, 90, 180])
@pytest.mark.parametrize("box", ROIS)
def test_what_lies_under_a_point_of_the_turned_crop_lies_under_it_in_the_picture(angle, box):
    batch = turned_input(RAMPS, [box], [angle])[0] * 128 + 127.5
    # Points of the turned crop, in its 1-based frame, y up, as the translation of a tiny face.
    for x, y in [(60.5, 60.5), (30.0, 80.0), (90.0, 100.0), (20.0, 35.0)]:
        column, row = x - 1, 120 - y
        i, j = int(column), int(row)
        seen = [
            np.average(
                plane[j : j + 2, i : i + 2].ravel(),
                weights=np.outer([1 - row + j, row - j], [1 - column + i, column - i]).ravel(),
            )
            for plane in batch
        ]
        params = turn_params([face(0, 0, 0, (x - 60.5, y - 60.5))], [angle])
        camera = image_cameras(split_params(params), [box], 120)[0]
        place = camera[:2, 3]
        # `image_cameras` maps pixel centers on ROI corners, as the reference does.
        place = place + ((box[2] - box[0]) / 120 - 1) / 2
        assert seen[:2] == pytest.approx(place.tolist(), abs=1.0)


def test_picture_is_black_beyond_its_edge():
    white = np.full((100, 100, 3), 255, np.uint8)
    batch = turned_input(white, [[50.0, 50.0, 150.0, 150.0]], [45]) * 128 + 127.5
    assert batch[0, 0, 60, 90] == 0 and batch[0, 0, 10, 60] == 255


def test_nothing_is_nothing():
    assert turned_input(RAMPS, [], []).shape == (0, 3, 120, 120)
    assert turn_params(np.zeros((0, 62)), []).shape == (0, 62)


@pytest.mark.parametrize("angles", [[1.0], [1.0, np.nan], [[1.0, 2.0]], 3.0])
def test_wrong_angles_are_named(angles):
    with pytest.raises(InputError, match="angles"):
        turned_input(RAMPS, ROIS, angles)
    with pytest.raises(InputError, match="angles"):
        turn_params(np.zeros((2, 62)), angles)


@pytest.mark.parametrize("shape", [(62,), (1, 61)])
def test_wrong_parameters_are_named(shape):
    with pytest.raises(InputError, match="parameters"):
        turn_params(np.zeros(shape), [0])
