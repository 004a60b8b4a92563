import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from FaceBoxes.nms import nms
from tddfa.errors import InputError


def iou(a, b):
    """Intersection over union of two boxes by its definition, float32 throughout."""
    one = np.float32(1)
    width = min(a[2], b[2]) - max(a[0], b[0]) + one
    height = min(a[3], b[3]) - max(a[1], b[1]) + one
    if width <= 0 or height <= 0:
        return 0.0
    area_a = (a[2] - a[0] + one) * (a[3] - a[1] + one)
    area_b = (b[2] - b[0] + one) * (b[3] - b[1] + one)
    return float(width * height / (area_a + area_b - width * height))


def brute_force(dets, threshold):
    kept = []
    for i in sorted(range(len(dets)), key=lambda i: (-dets[i, 4], i)):
        if all(iou(dets[k], dets[i]) < threshold for k in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("dets", [[], np.empty((0, 5), np.float32)])
def test_nothing_in_nothing_out(dets):
    kept = nms(dets)
    assert kept.shape == (0,) and kept.dtype == np.intp


def test_equal_to_the_reference(golden):
    data = np.load(golden / "nms.npz")
    kept = nms(data["dets"], float(data["threshold"]))
    np.testing.assert_array_equal(kept, data["keep"])


coordinates = st.integers(0, 30).map(float) | st.floats(0, 30, width=32)
scores = st.sampled_from([0.1, 0.5, 0.5000001, 0.9]) | st.floats(0, 1, width=32)


@given(
    corner=arrays(np.float32, st.tuples(st.integers(0, 25), st.just(2)), elements=coordinates),
    threshold=st.sampled_from([0.05, 0.3, 0.5, 0.7, 1.0]),
    data=st.data(),
)
def test_equal_to_brute_force(corner, threshold, data):
    # Sizes down to −3: boxes with corners swapped must not upset anything.
    sizes = st.floats(-3, 20, width=32)
    size = data.draw(arrays(np.float32, corner.shape, elements=sizes))
    score = data.draw(arrays(np.float32, (len(corner), 1), elements=scores.map(np.float32)))
    dets = np.concatenate((corner, corner + size, score), axis=1)
    assert nms(dets, threshold).tolist() == brute_force(dets, threshold)


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_limit_cuts_the_end_off(limit, seed):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 50, (40, 2))
    dets = np.hstack((corner, corner + rng.uniform(1, 30, (40, 2)), rng.uniform(size=(40, 1))))
    np.testing.assert_array_equal(nms(dets, 0.3, limit), nms(dets, 0.3)[:limit])


def test_pixels_count_as_one_wide():
    # 10 and 10 pixels that share one: 1 / 19; by plain differences they would only touch.
    dets = [[0, 0, 9, 0, 0.9], [9, 0, 18, 0, 0.8]]
    assert nms(dets, 1 / 19 + 1e-6).tolist() == [0, 1]
    assert nms(dets, 1 / 19 - 1e-6).tolist() == [0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", range(5))
def test_rows_that_are_not_finite_are_dropped(bad, column):
    dets = np.array([[0, 0, 9, 9, 0.5], [1, 1, 9, 9, 0.9], [40, 40, 60, 60, 0.7]], np.float32)
    dets[1, column] = bad
    assert nms(dets).tolist() == [2, 0]


def test_ties_keep_their_order():
    dets = [[20 * i, 0, 20 * i + 9, 9, 0.5] for i in range(50)]
    assert nms(dets).tolist() == list(range(50))


def test_input_of_any_layout():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 50, (60, 2))
    dets = np.hstack((corner, corner + rng.uniform(1, 30, (60, 2)), rng.uniform(size=(60, 1))))
    dets = dets.astype(np.float32)
    expected = nms(dets)
    np.testing.assert_array_equal(nms(np.asfortranarray(dets)), expected)
    np.testing.assert_array_equal(nms(dets[::-1]), 59 - expected)


@pytest.mark.parametrize("shape", [(3, 4), (5,), (2, 3, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="dets"):
        nms(np.zeros(shape, np.float32))


@pytest.mark.parametrize("threshold", [0, -0.1, 1.1, float("nan")])
def test_thresholds_out_of_range_are_refused(threshold):
    with pytest.raises(InputError, match="threshold"):
        nms([[0, 0, 9, 9, 0.8]], threshold)


def test_overlap_of_just_the_threshold_removes():
    """The corners are pixels of the box: 10 x 10 and 10 x 5, of which the second is half."""
    boxes = np.float32([[0, 0, 9, 9, 0.9], [0, 0, 9, 4, 0.8]])
    assert nms(boxes, 0.5).tolist() == [0]
    assert nms(boxes, float(np.nextafter(0.5, 1))).tolist() == [0, 1]
