from itertools import pairwise

import numpy as np
import pytest

from tddfa.frontal import frontal_vertices, side_by_side


def by_hand(model, param):
    face = model.u[:, 0].astype(np.float64)
    face = face + model.w_shp[:, :40].astype(np.float64) @ param[12:52]
    face = face + model.w_exp[:, :10].astype(np.float64) @ param[52:]
    return face.reshape(-1, 3).T * [[1], [-1], [1]]


def test_shape_and_expression_count_alone(pipeline):
    model = pipeline.aligner.bfm
    params = np.random.default_rng(0).normal(size=(3, 62)).astype(np.float32)
    params[2, 12:] = params[1, 12:]  # the same face in another pose
    faces = frontal_vertices(model, list(params))
    for face, param in zip(faces, params, strict=True):
        np.testing.assert_allclose(face, by_hand(model, param), atol=1e-3)
    np.testing.assert_array_equal(faces[1], faces[2])


def test_no_face(pipeline):
    assert frontal_vertices(pipeline.aligner.bfm, []) == []
    assert side_by_side([]) == []


@pytest.mark.parametrize("places", [None, [30.0, 10.0, 20.0], [5.0, 5.0, 5.0]])
def test_side_by_side(places):
    rng = np.random.default_rng(1)
    faces = [rng.normal(size=(3, 50)).astype(np.float32) * 10 for _ in range(3)]
    moved = side_by_side(faces, places)
    order = np.argsort(range(3) if places is None else places, kind="stable")
    left = [moved[k] for k in order]
    for one, other in pairwise(left):
        assert one[0].max() < other[0].min()
    np.testing.assert_array_equal(left[0], faces[order[0]])
    for face, before in zip(moved, faces, strict=True):
        np.testing.assert_array_equal(face[1:], before[1:])
        assert np.ptp(face[0] - before[0]) < 1e-4
