import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tddfa.errors import InputError
from tddfa.roi import (
    crop_img,
    network_input,
    parse_roi_box_from_bbox,
    parse_roi_box_from_landmark,
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
