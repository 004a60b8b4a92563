import numpy as np
import pytest

from FaceBoxes.prior_box import ANCHORS_PER_CELL, prior_boxes


@pytest.mark.parametrize("size", [(97, 131), (33, 500)])
def test_equal_to_the_reference(golden, size):
    expected = np.load(golden / "priors.npz")[f"priors_{size[0]}x{size[1]}"]
    np.testing.assert_array_equal(prior_boxes(*size), expected)


def test_equal_to_the_reference_at_full_size(golden):
    expected = np.load(golden / "priors.npz")
    priors = prior_boxes(720, 1080)
    assert priors.shape == tuple(expected["priors_720x1080_shape"])
    np.testing.assert_array_equal(priors[::97], expected["priors_720x1080_every_97th"])


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (32, 32), (33, 65), (129, 127)])
def test_covers_every_cell(size):
    cells = [-(-size[0] // s) * -(-size[1] // s) for s in (32, 64, 128)]
    priors = prior_boxes(*size)
    assert priors.dtype == np.float32
    assert len(priors) == sum(n * a for n, a in zip(cells, ANCHORS_PER_CELL, strict=True))
    assert ANCHORS_PER_CELL == (21, 1, 1)
    widths, heights = (priors[:, 2:] * (size[1], size[0])).T
    for sides in (widths, heights):
        np.testing.assert_allclose(sides[:21], [32] * 16 + [64] * 4 + [128], rtol=1e-6)
        np.testing.assert_allclose(sides[-cells[2] :], 512, rtol=1e-6)


def test_cached_array_cannot_be_changed_and_the_cache_is_bounded():
    priors = prior_boxes(64, 64)
    assert prior_boxes(64, 64) is priors
    with pytest.raises(ValueError, match="read-only"):
        priors[0, 0] = 1
    for side in range(1, 40):
        prior_boxes(side, side)
    assert prior_boxes.cache_info().currsize <= 4


def test_order():
    """Layer, cell row, cell column, anchor size, dense y, dense x; the last one runs fastest."""
    priors = prior_boxes(64, 128)
    in_pixels = priors * (128, 64, 128, 64)
    np.testing.assert_allclose(in_pixels[:3], [[0, 0, 32, 32], [8, 0, 32, 32], [16, 0, 32, 32]])
    np.testing.assert_allclose(in_pixels[4], [0, 8, 32, 32])  # the next dense y
    np.testing.assert_allclose(in_pixels[16], [0, 0, 64, 64])  # the next size, twice as sparse
    np.testing.assert_allclose(in_pixels[20], [16, 16, 128, 128])  # a single one lies amid its cell
    np.testing.assert_allclose(in_pixels[21], [32, 0, 32, 32])  # the next column
    np.testing.assert_allclose(in_pixels[4 * 21], [0, 32, 32, 32])  # the next row
    np.testing.assert_allclose(in_pixels[8 * 21], [32, 32, 256, 256])  # the next layer
