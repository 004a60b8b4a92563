"""Triangles that know their vertices' codes."""

import pickle

import numpy as np
import pytest

from tddfa.topology import Topology, triangles_outside

TRIANGLES = np.array([[0, 1, 2], [1, 2, 3], [3, 4, 0]], np.int32)
INSIDE = np.array([False, True, True, True, False])


def by_definition(triangles, inside):
    return np.array([row for row in triangles.tolist() if not inside[row].all()]).reshape(-1, 3)


@pytest.mark.parametrize("inside", [INSIDE, ~INSIDE, np.zeros(5, bool), np.ones(5, bool)])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_outside(inside, dtype):
    tri = Topology(TRIANGLES).astype(dtype)
    for _ in range(2):
        np.testing.assert_array_equal(tri.outside(inside), by_definition(TRIANGLES, inside))
    np.testing.assert_array_equal(triangles_outside(TRIANGLES, inside), tri.outside(inside))


def test_outside_follows_changes():
    tri, inside = Topology(TRIANGLES.copy()), INSIDE.copy()
    assert len(tri.outside(inside)) == 2
    tri[1] = [0, 1, 4]
    assert len(tri.outside(inside)) == 3
    inside[:] = True
    assert len(tri.outside(inside)) == 0
    assert not tri.outside(inside).flags.writeable


@pytest.fixture
def tri():
    return Topology(TRIANGLES.copy(), np.zeros((3, 5), np.float32), inside=INSIDE)


@pytest.mark.parametrize(
    "reduce", [np.max, np.min, np.sum, np.mean, np.ptp, np.any, lambda tri: tri.max()]
)
def test_reductions_are_numbers(tri, reduce):
    assert isinstance(reduce(tri), np.generic) and isinstance(reduce(tri[:, 0]), np.generic)
    assert reduce(tri) == reduce(TRIANGLES)


@pytest.mark.parametrize(
    "compute",
    [
        lambda tri: tri == 3,
        lambda tri: tri / 2,
        lambda tri: tri.max(axis=1),
        lambda tri: tri.sum(axis=0),
        lambda tri: np.repeat(tri, 2, axis=0).mean(axis=1),
        lambda tri: tri[:, 0] + tri[:, 1],
        lambda tri: tri.astype(np.float32),
        lambda tri: tri.astype(bool, copy=False),
    ],
)
def test_what_are_no_triangles_is_a_plain_array(tri, compute):
    found = compute(tri)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, compute(TRIANGLES))


@pytest.mark.parametrize(
    "compute",
    [
        lambda tri: tri + 7,
        lambda tri: np.maximum(tri, 1),
        lambda tri: np.delete(tri, 1, axis=0),
        lambda tri: tri.T * 2,
        lambda tri: tri.astype(np.int64),
        lambda tri: tri[tri.max(axis=1) > 2],
    ],
)
def test_triangles_keep_their_tables(tri, compute):
    found = compute(tri)
    assert type(found) is Topology and found.inside is tri.inside
    np.testing.assert_array_equal(found, compute(TRIANGLES))


def test_in_place(tri):
    before = tri
    tri += 2
    np.negative(tri, out=tri)
    assert tri is before and tri.inside is INSIDE
    np.testing.assert_array_equal(tri, -TRIANGLES - 2)


def test_wrapping_as_numpy_1_does(tri):
    assert tri.__array_wrap__(np.array(4)) == 4
    assert isinstance(tri.__array_wrap__(np.array(4), None), np.generic)
    assert tri.__array_wrap__(TRIANGLES, None).inside is tri.inside


@pytest.mark.parametrize("part", [np.s_[0], np.s_[:, 1], np.s_[1:, :2]])
def test_pickles_of_rows_and_columns_have_no_tables(tri, part):
    copied = pickle.loads(pickle.dumps(tri[part]))
    assert type(copied) is np.ndarray
    np.testing.assert_array_equal(copied, TRIANGLES[part])


def test_outside_is_of_the_part_that_is_asked():
    tri = Topology(TRIANGLES.copy(), inside=INSIDE)
    tri.outside(INSIDE)
    np.testing.assert_array_equal(tri[1:].outside(INSIDE), [[3, 4, 0]])
    copied = pickle.loads(pickle.dumps(tri))
    np.testing.assert_array_equal(copied.outside(INSIDE), tri.outside(INSIDE))
