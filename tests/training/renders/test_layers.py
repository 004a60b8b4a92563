"""Transparent triangles: order, depth and opacity."""

import numpy as np
import pytest

from training.renders.layers import blend_layer
from training.renders.meshes import TexturedMesh

SIZE = 12


def square(z):
    return np.array([[-1, -1, z], [SIZE, -1, z], [SIZE, SIZE, z], [-1, SIZE, z]], np.float32)


def mesh(count=1):
    one = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    triangles = np.concatenate([one + 4 * k for k in range(count)])
    return TexturedMesh(triangles, np.full((2 * count, 3, 2), 0.5, np.float32))


def texture(value, alpha):
    return np.full((4, 4, 4), (value, value, value, alpha), np.uint8)


@pytest.fixture
def canvas():
    color = np.full((SIZE, SIZE, 3), 0.2, np.float32)
    return color, np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)


def test_a_layer_in_front_is_mixed_by_its_opacity(canvas):
    color, cover, depth = canvas
    light = np.full((4, 3), 0.5, np.float32)
    blend_layer(color, cover, depth, square(1), mesh(), light, texture(255, 51), 0)
    # Pixels on the diagonal, which both triangles touch, are blended twice at most.
    assert np.median(color) == pytest.approx(0.2 * 0.8 + 0.5 * 0.2, abs=1e-3)
    assert np.median(cover) == pytest.approx(0.2, abs=1e-3)


def test_a_layer_behind_is_hidden_up_to_the_slack(canvas):
    color, cover, depth = canvas
    light = np.ones((4, 3), np.float32)
    blend_layer(color, cover, depth, square(-1), mesh(), light, texture(255, 255), 0.5)
    assert (color == np.float32(0.2)).all() and not cover.any()
    blend_layer(color, cover, depth, square(-1), mesh(), light, texture(255, 255), 1.5)
    np.testing.assert_allclose(color, 1, atol=1e-6)


@pytest.mark.parametrize("nearer", [0, 1])
def test_near_triangles_cover_far_ones_in_any_order(canvas, nearer):
    color, cover, depth = canvas
    points = np.concatenate([square(1 + (nearer == 0)), square(1 + (nearer == 1))])
    light = np.repeat(np.array([[0.1] * 3, [0.9] * 3], np.float32), 4, axis=0)
    blend_layer(color, cover, depth, points, mesh(2), light, texture(255, 255), 0)
    np.testing.assert_allclose(color, (0.1, 0.9)[nearer], atol=1e-6)


def test_what_lies_outside_or_is_empty_draws_nothing(canvas):
    color, cover, depth = canvas
    light = np.ones((4, 3), np.float32)
    far = square(1) + np.float32([100, 0, 0])
    blend_layer(color, cover, depth, far, mesh(), light, texture(255, 255), 0)
    blend_layer(color, cover, depth, square(1) * 0, mesh(), light, texture(255, 255), 0)
    blend_layer(color, cover, depth, square(1), mesh(), light, texture(255, 0), 0)
    assert (color == np.float32(0.2)).all() and not cover.any()
