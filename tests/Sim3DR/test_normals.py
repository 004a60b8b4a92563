"""Vertex normals: odd input, and properties."""

import numpy as np
import pytest

from Sim3DR import get_normal


def sphere(seed: int = 0, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return points of the unit sphere and the triangles of their convex hull, facing outward."""
    from scipy.spatial import ConvexHull

    points = np.random.default_rng(seed).normal(size=(count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices
    corners = points[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = (normal * corners.mean(1)).sum(1) < 0
    faces[inward] = faces[inward][:, ::-1]
    return points, faces


def test_empty() -> None:
    assert get_normal(np.zeros((0, 3)), np.zeros((0, 3), int)).shape == (0, 3)
    np.testing.assert_array_equal(get_normal(np.ones((4, 3)), []), np.zeros((4, 3)))


def test_sphere_points_outward() -> None:
    points, faces = sphere()
    normals = get_normal(points, faces)
    assert normals.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    assert ((normals * points).sum(axis=1) > 0.97).all()


def test_agrees_with_numpy() -> None:
    rng = np.random.default_rng(1)
    points, faces = rng.normal(size=(50, 3)).astype(np.float32), rng.integers(0, 50, (90, 3))
    corners = points.astype(float)[faces]
    sums = np.zeros((50, 3))
    for k in range(3):
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        np.add.at(sums, faces[:, k], normal)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    expected = np.divide(sums, length, out=np.zeros_like(sums), where=length > 0)
    np.testing.assert_allclose(get_normal(points, faces), expected, atol=1e-6)


def test_turning_the_triangles_turns_the_normals() -> None:
    points, faces = sphere()
    np.testing.assert_array_equal(get_normal(points, faces[:, ::-1]), -get_normal(points, faces))


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1.0, 1e9, 1e30])
def test_scale_does_not_matter(scale: float) -> None:
    points, faces = sphere()
    expected = get_normal(points, faces)
    np.testing.assert_allclose(get_normal(points * scale, faces), expected, atol=1e-4)


def test_isolated_and_degenerate_vertices_get_zero() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5], [2, 0, 0]], dtype=np.float32)
    normals = get_normal(points, [[0, 1, 2], [0, 1, 4], [4, 4, 4]])
    np.testing.assert_array_equal(normals[:3], [[0, 0, 1]] * 3)
    np.testing.assert_array_equal(normals[3:], np.zeros((2, 3)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vertex_that_is_not_finite_spoils_no_neighbor(bad: float) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [bad, 1, 0]], dtype=np.float32)
    normals = get_normal(points, [[0, 1, 2], [1, 3, 2]])
    np.testing.assert_array_equal(normals, [[0, 0, 1]] * 3 + [[0, 0, 0]])


@pytest.mark.parametrize("triangles", [[[0, 1, 4]], [[-1, 1, 2]]])
def test_index_out_of_range(triangles: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="triangles: vertex index"):
        get_normal(np.zeros((4, 3)), triangles)
