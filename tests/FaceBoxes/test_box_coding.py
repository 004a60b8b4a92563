import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from FaceBoxes.box_coding import decode, encode
from FaceBoxes.prior_box import prior_boxes


@pytest.mark.parametrize("function", [decode, encode])
def test_nothing_in_nothing_out(function):
    empty = np.empty((0, 4), np.float32)
    assert function(empty, empty).shape == (0, 4)
    assert function(empty, empty).dtype == np.float32


def test_zero_offsets_give_the_priors():
    priors = prior_boxes(97, 131)
    boxes = decode(np.zeros_like(priors), priors)
    np.testing.assert_allclose((boxes[:, :2] + boxes[:, 2:]) / 2, priors[:, :2], atol=1e-6)
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], priors[:, 2:], atol=1e-6)


def test_worked_example():
    # Center moves by 0.1 · 2 · w and 0.1 · (−1) · h; the width doubles, the height stays.
    box = decode([[2, -1, np.log(2) / 0.2, 0]], [[0.5, 0.5, 0.2, 0.4]])
    np.testing.assert_allclose(box, [[0.34, 0.26, 0.74, 0.66]], rtol=1e-6)


@given(
    center=arrays(np.float32, (5, 2), elements=st.floats(0, 1, width=32)),
    size=arrays(np.float32, (5, 2), elements=st.floats(2**-6, 2, width=32)),
)
def test_round_trip(center, size):
    boxes = np.concatenate((center - size / 2, center + size / 2), axis=1)
    priors = prior_boxes(97, 131)[:: 428 // 5][:5]
    np.testing.assert_allclose(decode(encode(boxes, priors), priors), boxes, atol=1e-5)


def test_absurd_offsets_do_not_warn():
    with np.errstate(all="raise"):
        assert not np.isfinite(decode([[0, 0, 1e6, 1e6]], [[0.5, 0.5, 0.1, 0.1]])).all()
