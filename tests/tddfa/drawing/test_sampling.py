import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from tddfa.drawing.sampling import bilinear_colors, nearest_colors

IMG = np.random.default_rng(7).integers(0, 256, (13, 17, 3), np.uint8)


def test_nothing():
    assert bilinear_colors(IMG, [], []).shape == (0, 3)
    assert nearest_colors(IMG, [], []).shape == (0, 3)


def test_bilinear_against_scipy():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-9, 26, 5000).astype(np.float32), rng.uniform(-9, 22, 5000).astype("f4")
    x[:100], y[50:150] = np.rint(x[:100]), np.rint(y[50:150])
    for channel, colors in enumerate(bilinear_colors(IMG, x, y).T):
        plane = IMG[..., channel].astype(float)
        expected = map_coordinates(plane, [y, x], order=1, mode="nearest")
        np.testing.assert_allclose(colors, expected, atol=1e-4)


def test_three_channels_are_what_each_is_alone():
    """Three are sampled at once, in vectors; one column of many is where they may have to go."""
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-3, 20, (2, 900)).astype(np.float32)
    x[:20], y[10:30] = 16, 12  # the picture's last pixels, beyond which nothing may be read
    together = np.full((900, 7), -1, np.float32)
    bilinear_colors(IMG, x, y, 1 / 255, out=together[:, 2:5])
    alone = [
        bilinear_colors(np.ascontiguousarray(IMG[..., k : k + 1]), x, y, 1 / 255) for k in range(3)
    ]
    np.testing.assert_array_equal(together[:, 2:5], np.concatenate(alone, axis=1))
    assert (together[:, [0, 1, 5, 6]] == -1).all()


def test_nearest_is_numpys_rounding():
    x, y = np.meshgrid(np.arange(-3, 20, 0.25), np.arange(-3, 16, 0.25))
    columns, rows = np.clip(np.rint(x), 0, 16).astype(int), np.clip(np.rint(y), 0, 12).astype(int)
    expected = IMG[rows, columns].reshape(-1, 3)
    np.testing.assert_array_equal(nearest_colors(IMG, x.ravel(), y.ravel()), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_no_place_at_all(value):
    edge = IMG[0, 16 if value > 0 else 0]
    np.testing.assert_array_equal(nearest_colors(IMG, [value], [0]), [edge])
    np.testing.assert_array_equal(bilinear_colors(IMG, [value], [0]), [edge])


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1)])
def test_thin_pictures(size):
    img = IMG[: size[0], : size[1]]
    np.testing.assert_array_equal(bilinear_colors(img, [0, 9], [0, 9]), img[[0, -1], [0, -1]])


def test_lengths():
    with pytest.raises(ValueError, match="same length"):
        nearest_colors(IMG, [1, 2], [3])
