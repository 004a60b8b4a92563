import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from FaceBoxes.preprocess import fit_scale, preprocess
from tddfa.errors import InputError


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((5, 0, 3), np.uint8),
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 1), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((1, 5, 5, 3), np.uint8),
        np.zeros((5, 5, 3), np.uint16),
        np.zeros((5, 5, 3), np.float32),
        None,
        [[[1, 2, 3]]],
        "face.jpg",
    ],
)
def test_what_is_no_bgr_picture_is_refused(image):
    with pytest.raises(InputError, match=r"^image: expected a BGR array \(H, W, 3\) of uint8"):
        preprocess(image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (525, 1080), (720, 33)])
def test_blob_is_the_picture_minus_the_mean(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    kept = image.copy()
    source = preprocess(image)
    expected = image.astype(np.float32) - np.float32([104, 117, 123])
    assert source.blob.dtype == np.float32 and source.blob.flags.c_contiguous
    np.testing.assert_array_equal(source.blob[0], expected.transpose(2, 0, 1))
    np.testing.assert_array_equal(image, kept)
    assert source.scale == 1 and source.size == shape


@pytest.mark.parametrize(
    ("shape", "size", "scale"),
    [
        ((720, 1080), (720, 1080), 1),
        ((721, 1000), (720, 998), 720 / 721),  # int(998.61)
        ((500, 2000), (270, 1080), 0.54),
        ((1440, 4320), (360, 1080), 0.25),  # height first, then width
        ((9000, 600), (720, 48), 0.08),
        ((1, 5000), (1, 1080), 0.216),  # int(0.216) would be 0
        ((5000, 1), (720, 1), 0.144),
        ((1, 200_000), (1, 1080), 0.0054),
    ],
)
def test_large_pictures_are_scaled_down(shape, size, scale):
    source = preprocess(np.zeros((*shape, 3), np.uint8))
    assert source.size == size
    assert source.scale == pytest.approx(scale, rel=1e-12)


def test_scaling_is_bilinear():
    image = np.random.default_rng(1).integers(0, 256, (900, 700, 3), dtype=np.uint8)
    expected = cv2.resize(image, (560, 720)).astype(np.float32) - np.float32([104, 117, 123])
    np.testing.assert_array_equal(preprocess(image).blob[0], expected.transpose(2, 0, 1))


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(1, 3000), st.integers(1, 3000))
def test_scale_meets_the_limits_and_no_more(height, width, max_height, max_width):
    scale = fit_scale(height, width, max_height, max_width)
    assert 0 < scale <= 1
    assert scale * height <= max_height * (1 + 1e-12)
    assert scale * width <= max_width * (1 + 1e-12)
    if scale < 1:
        slack = min(max_height / (scale * height), max_width / (scale * width))
        assert slack == pytest.approx(1)


def test_limits_can_be_lifted():
    assert fit_scale(9000, 12_000, None, None) == 1
    assert fit_scale(9000, 12_000, 4500, None) == 0.5
    assert fit_scale(9000, 12_000, None, 4000) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "view", [np.s_[::-1], np.s_[:, ::-1], np.s_[::2, ::3], np.s_[:, :, ::-1]], ids=str
)
@pytest.mark.parametrize("shape", [(60, 90), (1500, 1600)])
def test_views_give_what_their_copies_give(view, shape):
    image = np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8)[view]
    np.testing.assert_array_equal(preprocess(image).blob, preprocess(image.copy()).blob)
