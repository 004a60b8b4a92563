import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tddfa.tracking.association import iou_matrix, match

BOX = st.tuples(*[st.floats(-50, 50)] * 2, *[st.floats(0.1, 40)] * 2).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)


@pytest.mark.parametrize(
    ("first", "second", "shape"), [([], [], (0, 0)), ([[0, 0, 1, 1]], [], (1, 0))]
)
def test_no_boxes(first, second, shape):
    overlap = iou_matrix(first, second)
    assert overlap.shape == shape
    assert match(overlap, 0.1) == []


@pytest.mark.parametrize(
    "box", [[np.nan] * 4, [0, 0, np.inf, 1], [3, 3, 1, 1], [2, 2, 2, 2], [-np.inf, 0, np.inf, 1]]
)
def test_box_that_is_none_overlaps_nothing(box):
    assert iou_matrix([box], [[0, 0, 4, 4], box]).tolist() == [[0, 0]]


@given(st.lists(BOX, min_size=1, max_size=5))
def test_overlap_is_symmetric_and_one_with_itself(boxes):
    overlap = iou_matrix(boxes, boxes)
    np.testing.assert_allclose(np.diag(overlap), 1, atol=1e-5)
    np.testing.assert_allclose(overlap, overlap.T, atol=1e-6)
    assert (overlap >= 0).all() and (overlap <= 1 + 1e-6).all()


@settings(deadline=None)  # the first call loads SciPy
@given(st.lists(BOX, max_size=5), st.lists(BOX, max_size=5), st.floats(0.01, 0.9))
def test_matches_are_one_to_one_and_overlap_enough(first, second, least):
    overlap = iou_matrix(first, second)
    pairs = match(overlap, least)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(overlap[pair] >= least for pair in pairs)


def test_sum_of_overlaps_counts_not_the_best_single_one():
    assert match(np.float32([[0.9, 0.8], [0.8, 0.0]]), 0.3) == [(0, 1), (1, 0)]


def test_pair_below_the_threshold_takes_no_partner_away():
    assert match(np.float32([[0.5, 0.29], [0.29, 0.1]]), 0.3) == [(0, 0)]
