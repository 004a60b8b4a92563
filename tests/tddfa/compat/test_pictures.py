import logging

import numpy as np
import pytest

from tddfa.compat.pictures import as_uint8


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, np.int64])
def test_numbers_from_0_to_255(dtype):
    picture = np.arange(256).reshape(16, 16, 1).astype(np.uint8)
    out = as_uint8(picture.astype(dtype))
    assert out.dtype == np.uint8
    np.testing.assert_array_equal(out, picture)


def test_numbers_beyond_are_clipped_and_fractions_cut_off():
    out = as_uint8(np.array([np.nan, -np.inf, -1, 0.99, 254.99, 256, np.inf]))
    assert out.tolist() == [0, 0, 0, 0, 254, 255, 255]


def test_uint8_is_not_copied():
    picture = np.zeros((3, 3, 3), np.uint8)
    assert as_uint8(picture) is picture


@pytest.mark.parametrize("value", [None, "text", np.array(["a"]), np.zeros(0)])
def test_what_is_no_picture_is_left_to_the_caller(value):
    as_uint8(value)


def test_floats_up_to_one_are_said_to_be_black(caplog):
    with caplog.at_level(logging.WARNING):
        assert not as_uint8(np.full((2, 2, 3), 0.9, np.float32)).any()
        as_uint8(np.zeros((2, 2, 3), np.float32))
        as_uint8(np.full((2, 2, 3), 200, np.float32))
    assert len(caplog.records) == 1
