import numpy as np
import pytest

from training.detector.mosaic import mosaic, tile_side
from training.detector.picture import Picture


def tile(side, value, faces=(), doubtful=()):
    boxes = (np.array(b, np.float32).reshape(-1, 4) for b in (faces, doubtful))
    return Picture(np.full((side, side, 3), value, np.uint8), *boxes)


@pytest.mark.parametrize("size, across", [(384, 1), (384, 2), (384, 3), (256, 3), (128, 3)])
def test_tiles_lie_row_by_row_and_fill_the_picture(size, across):
    side = tile_side(size, across)
    tiles = [tile(side, 10 * n + 5, [[4, 6, 24, 30]]) for n in range(across**2)]
    found = mosaic(tiles, size)
    assert found.image.shape == (size, size, 3)
    for n, (left, top, right, bottom) in enumerate(found.faces):
        assert (left, top) == (4 + side * (n % across), 6 + side * (n // across))
        assert (right - left, bottom - top) == (20, 24)
        part = found.image[int(top) : int(bottom), int(left) : int(right)]
        assert (part == 10 * n + 5).all()
    assert len(found.faces) == across**2


def test_what_lay_outside_its_tile_is_in_no_other():
    side = tile_side(256, 2)
    first = tile(side, 0, doubtful=[[100, 100, 160, 160], [300, 0, 340, 40]])
    found = mosaic([first, *(tile(side, 0) for _ in range(3))], 256)
    np.testing.assert_array_equal(found.doubtful, [[100, 100, 128, 128]])
    assert found.faces.shape == (0, 4)


@pytest.mark.parametrize("count, side", [(0, 128), (3, 128), (4, 100)])
def test_tiles_that_do_not_fill_a_square_are_refused(count, side):
    with pytest.raises(ValueError, match="tiles that cover 256"):
        mosaic([tile(side, 0)] * count, 256)
