import cv2
import numpy as np
import pytest
import torch

from training.augmentation import photometric


@pytest.fixture
def pictures() -> torch.Tensor:
    """Two smooth pictures with an edge."""
    y, x = np.mgrid[:120, :120].astype(np.float32)
    first = np.stack([x * 2, y * 2, 255 - x - y / 2])
    second = np.stack([128 + 60 * np.sin(x / 9), 128 + 60 * np.cos(y / 7), 60 + 120 * (x > 60)])
    return torch.from_numpy(np.stack([first, second])).float().clamp(0, 255)


@pytest.mark.parametrize("quality", [15.0, 40.0, 70.0])
def test_compression_errs_as_opencv_does(pictures, quality):
    found = photometric.compress(pictures, torch.full((2,), quality))
    for picture, mine in zip(pictures.numpy(), found.numpy(), strict=True):
        plain = picture.transpose(1, 2, 0).round().astype(np.uint8)
        code = cv2.imencode(".jpg", plain, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
        theirs = cv2.imdecode(code, cv2.IMREAD_COLOR).transpose(2, 0, 1).astype(np.float32)
        error = np.abs(mine - picture).mean()
        assert np.abs(theirs - mine).mean() < 0.6 * error + 0.5


def test_compression_is_worse_at_lower_quality(pictures):
    error = [
        (photometric.compress(pictures, torch.full((2,), q)) - pictures).abs().mean()
        for q in (10.0, 40.0, 95.0)
    ]
    assert error[0] > error[1] > error[2]


def test_blur_is_a_gaussian_of_each_picture_own(pictures):
    found = photometric.blur(pictures, torch.tensor([0.6, 2.0]))
    for picture, mine, sigma in zip(pictures.numpy(), found.numpy(), (0.6, 2.0), strict=True):
        image = np.ascontiguousarray(picture.transpose(1, 2, 0))
        expected = cv2.GaussianBlur(image, (11, 11), sigma, borderType=cv2.BORDER_REFLECT_101)
        np.testing.assert_allclose(mine.transpose(1, 2, 0), expected, atol=0.6)


def test_lower_resolution_keeps_large_structures_and_place(pictures):
    found = photometric.reduce_resolution(pictures, torch.tensor([0.5, 0.25]))
    inner = slice(10, -10)
    ramp = (found[0] - pictures[0])[:2, inner, inner]
    assert ramp.abs().max() < 0.5
    assert (found[1] - pictures[1])[2].abs().max() > 20


def test_no_change_with_all_shares_at_zero(pictures):
    settings = photometric.PhotometricSettings(
        low_resolution=0, blur=0, jpeg=0, gray=0, noise=0, gamma=0, contrast=0, brightness=0,
        channel_gain=0,
    )  # fmt: skip
    found = photometric.degrade(pictures, settings, torch.Generator())
    torch.testing.assert_close(found, pictures, atol=0.05, rtol=0)


def test_degraded_pictures_stay_in_range_and_the_original_is_left_alone(pictures):
    before = pictures.clone()
    many = pictures.repeat(20, 1, 1, 1)
    found = photometric.degrade(many, photometric.PhotometricSettings(), torch.Generator())
    assert found.min() >= 0 and found.max() <= 255 and torch.isfinite(found).all()
    assert torch.equal(pictures, before)


def test_gray_has_equal_channels(pictures):
    gray = photometric.to_gray(pictures)
    assert torch.equal(gray[:, 0], gray[:, 2])
