"""Shading: odd input, and the formulas written out with NumPy."""

from typing import Any

import numpy as np
import pytest

from Sim3DR import RenderPipeline, get_normal, rasterize


def bumps(seed: int = 0, side: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Return an uneven surface over a grid, facing the viewer, and its triangles."""
    y, x = np.mgrid[:side, :side]
    z = np.random.default_rng(seed).random((side, side)) * 5
    vertices = np.stack([x * 4, y * 4, z], axis=-1).reshape(-1, 3).astype(np.float32)
    a = (y[:-1, :-1] * side + x[:-1, :-1]).ravel()
    b, c, d = a + 1, a + side, a + side + 1
    return vertices, np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])


def written_out(
    vertices: np.ndarray,
    triangles: np.ndarray,
    ambient: float = 0.3,
    directional: float = 0.6,
    specular: float = 0.1,
    exponent: int = 5,
    light_pos: Any = (0, 0, 5),
    view_pos: Any = (0, 0, 5),
) -> np.ndarray:
    """Return the light as the contract words it."""
    v = vertices.astype(float) - vertices.min(axis=0)
    v = v / v.max() * 2
    v = v - v.max(axis=0) / 2
    n = get_normal(vertices, triangles).astype(float)
    light, view = np.array(light_pos) - v, np.array(view_pos) - v
    light /= np.linalg.norm(light, axis=1, keepdims=True)
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    c = (n * light).sum(axis=1, keepdims=True)
    r = 2 * c * n - light
    q = np.where(c != 0, ((view * r) ** exponent).sum(axis=1, keepdims=True), 0)
    return np.clip(ambient + directional * np.clip(c, 0, 1) + specular * np.clip(q, 0, 1), 0, 1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"specular_exp": 1, "intensity_specular": 0.9},
        {"specular_exp": 2, "intensity_specular": 0.9},
        {"specular_exp": 8, "intensity_specular": 0.9},
        {"light_pos": (3, -2, 4), "view_pos": (-1, 2, 6), "intensity_specular": 0.5},
        {"light_pos": (0, 0, -5)},
        {"intensity_ambient": 0.9, "intensity_directional": 0.9},
        {"intensity_ambient": -0.5},
    ],
)
def test_agrees_with_the_formulas(options: dict[str, Any]) -> None:
    vertices, triangles = bumps()
    names = {
        "intensity_ambient": "ambient",
        "intensity_directional": "directional",
        "intensity_specular": "specular",
        "specular_exp": "exponent",
    }
    expected = written_out(
        vertices, triangles, **{names.get(name, name): value for name, value in options.items()}
    )
    light = RenderPipeline(**options).shade(vertices, triangles)
    assert light.dtype == np.float32
    np.testing.assert_allclose(light, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("intensity_ambient", 0.1),
        ("intensity_directional", 0.2),
        ("intensity_specular", 0.8),
        ("specular_exp", 3),
        ("color_ambient", (1, 0.5, 0)),
        ("color_directional", (0, 0.5, 1)),
        ("light_pos", (3, -2, 4)),
        ("view_pos", (-1, 2, 6)),
    ],
)
def test_parameters_are_attributes(name: str, value: Any) -> None:
    vertices, triangles = bumps()
    given = RenderPipeline(**{name: value})
    np.testing.assert_array_equal(np.ravel(getattr(given, name)), value)
    assigned = RenderPipeline()
    before = assigned.shade(vertices, triangles)
    setattr(assigned, name, value)
    after = assigned.shade(vertices, triangles)
    np.testing.assert_array_equal(after, given.shade(vertices, triangles))
    assert after.shape != before.shape or (after != before).any()
    with pytest.raises(ValueError, match=name):
        setattr(assigned, name, float("nan"))
    np.testing.assert_array_equal(assigned.shade(vertices, triangles), after)


def test_positions_and_colors_as_rows() -> None:
    vertices, triangles = bumps()
    values = {"light_pos": (3, -2, 4), "view_pos": (-1, 2, 6), "color_ambient": (1, 0.5, 0)}
    expected = RenderPipeline(**values).shade(vertices, triangles)
    rows = {name: np.array([value]) for name, value in values.items()}
    pipeline = RenderPipeline(**rows)
    np.testing.assert_array_equal(pipeline.shade(vertices, triangles), expected)
    assert pipeline.light_pos.shape == (1, 3)
    pipeline.light_pos[0, 2] += 1
    expected = RenderPipeline(**values | {"light_pos": (3, -2, 5)}).shade(vertices, triangles)
    np.testing.assert_array_equal(pipeline.shade(vertices, triangles), expected)


def test_colored_lights() -> None:
    vertices, triangles = bumps()
    pipeline = RenderPipeline(color_ambient=(1, 0.5, 0), color_directional=(0, 0.5, 1))
    light = pipeline.shade(vertices, triangles)
    white = RenderPipeline().shade(vertices, triangles)
    none = RenderPipeline(intensity_directional=0, intensity_specular=0)
    ambient = none.shade(vertices, triangles)
    assert light.shape == (len(vertices), 3)
    np.testing.assert_allclose(light[:, 0], ambient[:, 0], atol=1e-6)
    np.testing.assert_allclose(light[:, 1], white[:, 0] / 2, atol=1e-6)
    np.testing.assert_allclose(light[:, 2], white[:, 0] - ambient[:, 0], atol=1e-6)


def test_gray_light_needs_one_channel_and_draws_the_same() -> None:
    vertices, triangles = bumps()
    gray = RenderPipeline().shade(vertices, triangles)
    assert gray.shape == (len(vertices), 1)
    bg = np.random.default_rng(0).integers(0, 256, (50, 50, 3)).astype(np.uint8)
    expected = rasterize(vertices, triangles, np.repeat(gray, 3, axis=1), bg.copy())
    for n_threads in (1, 2):
        image = RenderPipeline()(vertices, triangles, bg.copy(), n_threads=n_threads)
        np.testing.assert_array_equal(image, expected)


def test_texture_is_multiplied_by_the_light() -> None:
    vertices, triangles = bumps()
    texture = np.random.default_rng(1).random((len(vertices), 3)).astype(np.float32)
    colors = RenderPipeline().shade(vertices, triangles) * texture
    bg = np.zeros((50, 50, 3), dtype=np.uint8)
    expected = rasterize(vertices, triangles, colors, bg.copy())
    drawn = RenderPipeline()(vertices, triangles, bg, texture)
    assert drawn is bg
    np.testing.assert_array_equal(drawn, expected)


def test_moving_and_scaling_the_mesh_does_not_change_the_light() -> None:
    vertices, triangles = bumps()
    light = RenderPipeline().shade(vertices, triangles)
    moved = RenderPipeline().shade(vertices * 8 + np.float32([512, 256, 64]), triangles)
    np.testing.assert_allclose(light, moved, atol=1e-5)


def test_empty_mesh() -> None:
    assert RenderPipeline().shade([], []).shape == (0, 1)
    bg = np.full((4, 4, 3), 9, dtype=np.uint8)
    assert (RenderPipeline()([], [], bg) == 9).all()


def test_mesh_without_extent_gets_the_ambient_light() -> None:
    light = RenderPipeline().shade(np.full((3, 3), 7), [[0, 1, 2]])
    np.testing.assert_allclose(light, 0.3, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vertex_that_is_not_finite_gets_the_ambient_light(bad: float) -> None:
    vertices, triangles = bumps()
    apart = np.concatenate([vertices, [[bad, 1, 1]]]).astype(np.float32)
    light = RenderPipeline().shade(apart, triangles)
    expected = RenderPipeline().shade(vertices, triangles)
    np.testing.assert_allclose(light[:-1], expected, atol=1e-6)
    np.testing.assert_allclose(light[-1], 0.3, atol=1e-6)


def test_light_at_a_vertex_is_no_division_by_zero() -> None:
    vertices, triangles = bumps()
    span = np.ptp(vertices, axis=0)
    frame = (2 * vertices - vertices.min(0) - vertices.max(0)) / span.max()
    light = RenderPipeline(light_pos=frame[5], view_pos=frame[5]).shade(vertices, triangles)
    assert np.isfinite(light).all()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("specular_exp", 0),
        ("specular_exp", 2.5),
        ("specular_exp", float("nan")),
        ("intensity_ambient", float("nan")),
        ("intensity_specular", float("inf")),
        ("light_pos", (0, 0)),
        ("view_pos", (0, 0, float("nan"))),
        ("color_ambient", 1),
    ],
)
def test_bad_options(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=option):
        RenderPipeline(**{option: value})


def test_bad_texture() -> None:
    vertices, triangles = bumps()
    with pytest.raises(ValueError, match="texture"):
        RenderPipeline()(vertices, triangles, np.zeros((9, 9, 3), np.uint8), np.ones((2, 3)))
