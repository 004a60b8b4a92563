import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.roi import (
    crop_img,
    network_input,
    parse_roi_box_from_bbox,
    parse_roi_box_from_landmark,
    square_around,
)

IMAGE = np.random.default_rng(0).integers(1, 255, (40, 50, 3), np.uint8)


def test_box_rule():
    left, top, right, bottom = parse_roi_box_from_bbox([10, 20, 30, 50, 0.9])
    side = int(1.58 * 25)
    assert right - left == bottom - top == side
    assert (left + right) / 2 == 20
    assert (top + bottom) / 2 == pytest.approx(35 + 0.14 * 25)


@pytest.mark.parametrize("rows", [2, 3])
def test_landmark_rule(rows):
    points = np.zeros((rows, 2), np.float32)
    points[0] = 10, 30
    points[1] = 20, 50
    left, top, right, bottom = parse_roi_box_from_landmark(points)
    assert right - left == pytest.approx(30 * np.sqrt(2))
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((20, 35))


@pytest.mark.parametrize("shape", [(2, 0), (68, 2, 1), (68, 3), (4,)])
def test_bad_landmarks(shape):
    with pytest.raises(InputError, match="landmarks"):
        parse_roi_box_from_landmark(np.zeros(shape))


boxes = st.tuples(*[st.integers(-90, 90)] * 2, *[st.integers(1, 90)] * 2)


@given(boxes)
def test_crop_equals_a_window_of_the_padded_picture(box):
    left, top, width, height = box
    padded = np.pad(IMAGE, ((200, 200), (200, 200), (0, 0)))
    expected = padded[200 + top : 200 + top + height, 200 + left : 200 + left + width]
    actual = crop_img(IMAGE, [left, top, left + width, top + height])
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(
    "box",
    [
        [0, 0, 0, 0],
        [5, 5, 4, 9],
        [0, 0, 1e6, 10],
        [0, 0, 1e30, 1e30],
        [np.nan, 0, 9, 9],
        [0, 0, np.inf, 9],
        [1, 2, 3],
    ],
)
def test_impossible_roi(box):
    with pytest.raises(InputError, match="ROI"):
        crop_img(IMAGE, box)


def test_gray_picture():
    assert crop_img(IMAGE[..., 0], [-1, -1, 4, 4]).shape == (5, 5)


def test_network_input():
    rois = [[0, 0, 40, 40], [-10.4, 3.6, 20, 34]]
    batch = network_input(IMAGE, rois)
    assert batch.shape == (2, 3, 120, 120)
    assert batch.dtype == np.float32
    expected = cv2.resize(IMAGE[:40, :40], (120, 120)).astype(np.float32)
    np.testing.assert_allclose(batch[0], (expected.transpose(2, 0, 1) - 127.5) / 128, atol=1e-7)
    assert network_input(IMAGE, []).shape == (0, 3, 120, 120)


@pytest.mark.parametrize("name", ["emma", "trump_hillary", "JianzhuGuo"])
def test_reference_rois(golden, name):
    detected, data = np.load(golden / "faceboxes.npz"), np.load(golden / "tddfa_mb05.npz")
    rois = [parse_roi_box_from_bbox(box) for box in detected[name]]
    np.testing.assert_allclose(rois, data[f"{name}_roi_box"], atol=1e-3)
    rois = [parse_roi_box_from_landmark(points) for points in data[f"{name}_sparse"]]
    np.testing.assert_allclose(rois, data[f"{name}_landmark_roi_box"], atol=1e-3)


@pytest.fixture(scope="module")
def mesh(project_root):
    """Vertices (3, N) of the face model that ships, turned and laid into a picture."""
    model = load_face_model(project_root / "configs" / "face_model.npz")
    turn = cv2.Rodrigues(np.array([0.2, 0.5, 0.3]))[0]
    return (turn @ model.u.reshape(-1, 3).T + 300).astype(np.float32), model


def test_a_whole_mesh_stands_for_its_landmarks(mesh):
    vertices, model = mesh
    expected = parse_roi_box_from_landmark(vertices[:, model.landmark_vertices])
    side = expected[2] - expected[0]
    assert np.ptp(square_around(vertices)[::2]) > 1.1 * side  # else the mesh tells nothing
    for same in (vertices, vertices[:2], np.mean([vertices, vertices], axis=0), vertices.tolist()):
        np.testing.assert_allclose(parse_roi_box_from_landmark(same), expected, atol=1e-3)


def test_other_points_stand_for_themselves(mesh):
    vertices = mesh[0][:, 1:]
    assert parse_roi_box_from_landmark(vertices) == square_around(vertices)


def test_keypoints_of_another_mesh():
    points = np.random.default_rng(0).normal(size=(3, 100)) * 50
    roi = parse_roi_box_from_landmark(points, keypoints=[3, 1, 4])
    assert roi == square_around(points[:, [3, 1, 4]])


@pytest.mark.parametrize("keypoints", [[], [100], [-1], [0.5], [[1]]])
def test_bad_keypoints(keypoints):
    with pytest.raises(InputError, match="keypoints"):
        parse_roi_box_from_landmark(np.zeros((3, 100)), keypoints)
