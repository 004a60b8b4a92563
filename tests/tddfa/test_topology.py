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


def test_outside_is_of_the_part_that_is_asked():
    tri = Topology(TRIANGLES.copy(), inside=INSIDE)
    tri.outside(INSIDE)
    np.testing.assert_array_equal(tri[1:].outside(INSIDE), [[3, 4, 0]])
    copied = pickle.loads(pickle.dumps(tri))
    np.testing.assert_array_equal(copied.outside(INSIDE), tri.outside(INSIDE))
