import numpy as np
import pytest

from training.face_model.subdivide import catmull_clark

CUBE = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
CORNERS = np.array(
    [[x, y, z] for z in (-1.0, 1.0) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
)


def test_rows_sum_to_one() -> None:
    weights = catmull_clark([(0, 1, 2, 3), (1, 4, 2)], 5).operator
    np.testing.assert_allclose(np.asarray(weights.sum(1)).ravel(), 1)


def test_cube_by_the_textbook() -> None:
    level = catmull_clark(CUBE, 8)
    x = level.operator @ CORNERS
    # Valence 3: (Q + 2R + 0·v)/3 with face mean 1/3·(1,1,1) and edge-midpoint mean 2/3·(1,1,1).
    np.testing.assert_allclose(x[:8], CORNERS * 5 / 9)
    np.testing.assert_allclose(np.abs(x[20:]).sum(1), 1)
    assert level.quads.shape == (24, 4) and len(x) == 8 + 12 + 6


def test_flat_grid_stays_flat_and_boundary_is_cubic() -> None:
    grid = [(0, 1, 4, 3), (1, 2, 5, 4)]
    x = np.array([[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1.0]])
    fine = catmull_clark(grid, 6).operator @ x
    np.testing.assert_allclose(fine[1], [1, 0])
    np.testing.assert_allclose(fine[0], [0.125, 0.125])


def test_an_edge_with_three_faces_is_refused() -> None:
    with pytest.raises(ValueError, match="more than two faces"):
        catmull_clark([(0, 1, 2), (0, 1, 3), (0, 1, 4)], 5)
