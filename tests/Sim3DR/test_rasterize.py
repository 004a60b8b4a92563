"""The rasterizer: odd input, and properties that the rule implies."""

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from Sim3DR._rasterize import instruction_sets
from Sim3DR.rasterize import EMPTY_DEPTH, rasterize, rasterize_triangles

TRIANGLE = np.array([[1, 1, 0], [1, 7, 0], [7, 1, 0]], dtype=np.float32)
ONE = np.array([[0, 1, 2]], dtype=np.int32)
WHITE = np.ones((3, 3), dtype=np.float32)


@st.composite
def meshes(draw: st.DrawFn, max_triangles: int = 40) -> dict[str, Any]:
    """Random meshes on a grid of 1/8 pixel, where float64 decides every edge exactly."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, m = draw(st.integers(3, 30)), draw(st.integers(0, max_triangles))
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    grid = draw(st.sampled_from([1, 2, 8]))  # 1: corners and edges fall on pixel centers
    xy = rng.integers(-20 * grid, 80 * grid, (n, 2)) / grid
    return {
        "vertices": np.column_stack([xy, rng.integers(-40, 40, n)]).astype(np.float32),
        "triangles": rng.integers(0, n, (m, 3)).astype(np.int32),
        "colors": rng.random((n, 3)).astype(np.float32),
        "height": height,
        "width": width,
    }


def picture(mesh: dict[str, Any], seed: int = 0) -> np.ndarray:
    shape = (mesh["height"], mesh["width"], 3)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def draw(mesh: dict[str, Any], bg: np.ndarray | None = None, **options: Any) -> np.ndarray:
    bg = picture(mesh) if bg is None else bg
    return rasterize(mesh["vertices"], mesh["triangles"], mesh["colors"], bg, **options)


def naive(mesh: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Test every pixel against every triangle as the contract words it.

    Returns u and v, each (M, H, W), and the depth (M, H, W), which is -inf outside.
    """
    y, x = np.mgrid[: mesh["height"], : mesh["width"]].astype(float)
    u = np.zeros((len(mesh["triangles"]), *x.shape))
    v, depth = np.zeros_like(u), np.full_like(u, -np.inf)
    for i, corners in enumerate(mesh["vertices"].astype(float)[mesh["triangles"]]):
        p0, to_p1, to_p2 = corners[0], corners[1] - corners[0], corners[2] - corners[0]
        area = to_p2[0] * to_p1[1] - to_p2[1] * to_p1[0]
        if area == 0:
            continue
        sign = np.sign(area)
        along_u = sign * ((x - p0[0]) * to_p1[1] - (y - p0[1]) * to_p1[0])
        along_v = sign * (to_p2[0] * (y - p0[1]) - to_p2[1] * (x - p0[0]))
        inside = (along_u >= 0) & (along_v >= 0) & (along_u + along_v < abs(area))
        u[i], v[i] = along_u / abs(area), along_v / abs(area)
        depth[i] = np.where(inside, p0[2] + u[i] * to_p2[2] + v[i] * to_p1[2], -np.inf)
    return u, v, depth


@settings(deadline=None, max_examples=150)
@given(meshes(), st.integers(1, 4))
def test_agrees_with_the_rule_tested_at_every_pixel(mesh: dict[str, Any], n_threads: int) -> None:
    u, v, depth = naive(mesh)
    found = rasterize_triangles(
        mesh["vertices"], mesh["triangles"], mesh["height"], mesh["width"], n_threads=n_threads
    )
    nearest = depth.max(axis=0, initial=-np.inf)
    covered = nearest > -np.inf
    np.testing.assert_array_equal(found.triangle >= 0, covered)
    np.testing.assert_allclose(found.depth[covered], nearest[covered], atol=1e-4)
    assert (found.depth[~covered] == EMPTY_DEPTH).all()
    assert (found.weights[~covered] == 0).all()

    row, column = np.nonzero(covered)
    which = found.triangle[covered]
    # of triangles that meet or coincide at a pixel, rounding may choose either
    np.testing.assert_allclose(depth[which, row, column], nearest[covered], atol=1e-4)
    weights = np.stack([1 - u - v, v, u], axis=-1)[which, row, column]
    np.testing.assert_allclose(found.weights[covered], weights, atol=1e-6)

    image = draw(mesh, n_threads=n_threads)
    np.testing.assert_array_equal(image[~covered], picture(mesh)[~covered])
    corners = mesh["colors"].astype(float)[mesh["triangles"][which]]
    expected = 255 * (weights[..., None] * corners).sum(axis=1)
    assert (np.abs(image[covered] - (expected - 0.5)) <= 0.5 + 1e-4).all()


@settings(deadline=None, max_examples=60)
@given(meshes(), st.integers(2, 70))
def test_threads_do_not_change_a_bit(mesh: dict[str, Any], n_threads: int) -> None:
    mesh["vertices"] += np.random.default_rng(0).random(mesh["vertices"].shape, dtype=np.float32)
    np.testing.assert_array_equal(draw(mesh), draw(mesh, n_threads=n_threads))
    size = mesh["height"], mesh["width"]
    one = rasterize_triangles(mesh["vertices"], mesh["triangles"], *size)
    many = rasterize_triangles(mesh["vertices"], mesh["triangles"], *size, n_threads=n_threads)
    for name in ("triangle", "weights", "depth"):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))


@settings(deadline=None, max_examples=60)
@given(meshes(), st.sampled_from([1, 2, 3, 5]), st.booleans())
def test_every_instruction_set_gives_the_same_bits(
    mesh: dict[str, Any], channels: int, gray: bool
) -> None:
    mesh["vertices"] += np.random.default_rng(0).random(mesh["vertices"].shape, dtype=np.float32)
    mesh["colors"] = np.resize(mesh["colors"], (len(mesh["vertices"]), 1 if gray else channels))
    bg = np.zeros((mesh["height"], mesh["width"], channels), dtype=np.uint8)
    size = mesh["height"], mesh["width"]
    module = sys.modules["Sim3DR.rasterize"]
    images, fragments = [], []
    for count in range(1, instruction_sets() + 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "instruction_sets", lambda count=count: count)
            images.append(draw(mesh, bg.copy()))
            fragments.append(rasterize_triangles(mesh["vertices"], mesh["triangles"], *size))
    for image, found in zip(images, fragments, strict=True):
        np.testing.assert_array_equal(image, images[0])
        for name in ("triangle", "weights", "depth"):
            np.testing.assert_array_equal(getattr(found, name), getattr(fragments[0], name))


@pytest.mark.parametrize("far", [1e5, 2.0**30, 2.0**31, 1e20, 3e38])
@pytest.mark.parametrize("sign", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_a_corner_far_away(far: float, sign: tuple[int, int]) -> None:
    """What a vertex reaches is counted in 32 bits; half the picture is covered all the same."""
    inner = (
        np.array([[20.3, -1e4], [20.3, 1e4]]) if sign[0] > 0 else np.array([[-1e4, 0], [1e4, 0]])
    )
    corner = np.array([[far * sign[0], 10]]) if sign[0] > 0 else np.array([[10, far * sign[1]]])
    points = np.column_stack([np.concatenate([inner, corner]), np.zeros(3)]).astype(np.float32)
    covered = rasterize_triangles(points, ONE, 21, 41).triangle == 0
    y, x = np.mgrid[:21, :41]
    np.testing.assert_array_equal(covered, x > 20 if sign[0] > 0 else sign[1] * y >= 0)


@settings(deadline=None, max_examples=60)
@given(meshes(), st.integers(0, 30), st.integers(0, 30))
def test_a_part_of_the_picture_is_drawn_as_in_the_whole(
    mesh: dict[str, Any], left: int, top: int
) -> None:
    # also: moving by whole pixels moves the drawing
    left, top = left % mesh["width"], top % mesh["height"]
    whole = draw(mesh)
    moved = dict(mesh, vertices=mesh["vertices"] - np.array([left, top, 0], dtype=np.float32))
    part = draw(moved, picture(mesh)[top:, left:])
    np.testing.assert_array_equal(part, whole[top:, left:])


@settings(deadline=None, max_examples=60)
@given(meshes())
def test_reverse_turns_the_drawing_but_not_the_background(mesh: dict[str, Any]) -> None:
    turned = draw(mesh, picture(mesh)[::-1].copy())[::-1]
    np.testing.assert_array_equal(draw(mesh, reverse=True), turned)


@settings(deadline=None, max_examples=60)
@given(meshes(), st.randoms(use_true_random=False))
def test_the_order_of_triangles_matters_at_ties_only(mesh: dict[str, Any], random: Any) -> None:
    # Distinct levels, one per triangle, so that no two triangles meet.
    mesh["vertices"] = mesh["vertices"][mesh["triangles"]].reshape(-1, 3)
    mesh["colors"] = mesh["colors"][mesh["triangles"]].reshape(-1, 3)
    count = len(mesh["triangles"])
    mesh["vertices"][:, 2] = np.repeat(np.arange(count), 3)
    mesh["triangles"] = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    order = list(range(count))
    random.shuffle(order)
    shuffled = dict(mesh, triangles=mesh["triangles"][order])
    np.testing.assert_array_equal(draw(mesh), draw(shuffled))


def test_of_coinciding_triangles_the_first_wins() -> None:
    vertices = np.concatenate([TRIANGLE, TRIANGLE])
    colors = np.repeat([[1.0], [0.5]], 3, axis=0)
    for faces, expected in (([[0, 1, 2], [3, 4, 5]], 255), ([[3, 4, 5], [0, 1, 2]], 127)):
        assert rasterize(vertices, faces, colors, height=9, width=9)[2, 2] == expected


@settings(deadline=None, max_examples=60)
@given(meshes(), st.integers(2, 5))
def test_any_number_of_channels(mesh: dict[str, Any], channels: int) -> None:
    size = mesh["height"], mesh["width"]
    colors = np.resize(mesh["colors"], (len(mesh["vertices"]), channels))
    together = rasterize(mesh["vertices"], mesh["triangles"], colors, None, *size)
    assert together.shape == (*size, channels)
    for k in range(channels):
        alone = rasterize(mesh["vertices"], mesh["triangles"], colors[:, k], None, *size, 1)
        np.testing.assert_array_equal(together[..., k], alone[..., 0])
    gray = rasterize(mesh["vertices"], mesh["triangles"], colors[:, :1], None, *size, channels)
    np.testing.assert_array_equal(gray, np.repeat(together[..., :1], channels, axis=2))


def test_shared_diagonal_of_a_square_is_covered_once() -> None:
    # the edge p1-p2 belongs to the neighbor whose p0 lies on it
    vertices = np.array([[0, 0, 0], [0, 6, 0], [6, 6, 0], [6, 0, 0]], dtype=np.float32)
    faces = np.array([[0, 1, 3], [1, 2, 3]], dtype=np.int32)
    counts = sum(
        (rasterize_triangles(vertices, faces[i : i + 1], 7, 7).triangle >= 0).astype(int)
        for i in range(2)
    )
    inner = counts[:6, :6]
    assert inner.max() == 1
    assert inner[np.arange(1, 6), 6 - np.arange(1, 6)].tolist() == [1] * 5
    assert (inner == 1).all()


@pytest.mark.parametrize("level", range(256))
def test_gray_levels_survive(level: int) -> None:
    color = np.full((3, 1), np.float32(level) / np.float32(255))
    image = rasterize(TRIANGLE + np.float32([0.3, 0.7, 0]), ONE, color, height=9, width=9)
    assert set(np.unique(image)) == {0, level}


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_colors_beyond_the_range_are_clipped(channels: int) -> None:
    for value, level in ((-5, 0), (7, 255), (np.nan, 0), (np.inf, 255), (-np.inf, 0)):
        image = rasterize(TRIANGLE, ONE, np.full((3, channels), value), height=9, width=9)
        assert image[2, 2].tolist() == [level] * channels


@pytest.mark.parametrize(
    ("vertices", "triangles"),
    [
        pytest.param(np.zeros((0, 3)), np.zeros((0, 3), int), id="empty"),
        pytest.param([], [], id="empty lists"),
        pytest.param(TRIANGLE, np.zeros((0, 3), int), id="no triangle"),
        pytest.param(TRIANGLE, [[0, 0, 0]], id="one vertex thrice"),
        pytest.param(TRIANGLE, [[0, 1, 1]], id="two corners alike"),
        pytest.param([[1, 1, 0], [3, 3, 0], [7, 7, 0]], ONE, id="collinear"),
        pytest.param([[2.1, 2.1, 0], [2.9, 2.1, 0], [2.1, 2.9, 0]], ONE, id="between centers"),
        pytest.param(TRIANGLE - [0, 0, 2e8], ONE, id="farther than the z-buffer starts"),
        pytest.param(np.add(TRIANGLE, [100, 0, 0]), ONE, id="right"),
        pytest.param(TRIANGLE - [100, 0, 0], ONE, id="left"),
        pytest.param(np.add(TRIANGLE, [0, 100, 0]), ONE, id="below"),
        pytest.param(TRIANGLE - [0, 1e9, 0], ONE, id="far above"),
        pytest.param(TRIANGLE.astype(float) * 1e300 + 1e300, ONE, id="beyond float32"),
    ],
)
def test_nothing_to_draw(vertices: Any, triangles: Any) -> None:
    bg = np.full((9, 9, 3), 77, dtype=np.uint8)
    count = len(vertices)
    assert (rasterize(vertices, triangles, np.ones((count, 3)), bg, n_threads=2) == 77).all()
    found = rasterize_triangles(vertices, triangles, 9, 9)
    assert (found.triangle == -1).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("corner", [0, 1, 2])
def test_triangle_that_is_not_finite_is_left_out(bad: float, axis: int, corner: int) -> None:
    vertices = np.concatenate([TRIANGLE, TRIANGLE])
    vertices[3:, 2] = 9  # in front of the other one, if it were drawn
    vertices[3 + corner, axis] = bad
    faces = [[3, 4, 5], [0, 1, 2]]
    found = rasterize_triangles(vertices, faces, 9, 9)
    np.testing.assert_array_equal(found.triangle == 1, found.triangle >= 0)
    expected = rasterize(TRIANGLE, ONE, WHITE, height=9, width=9)
    colors = np.concatenate([WHITE, 0 * WHITE])
    np.testing.assert_array_equal(rasterize(vertices, faces, colors, height=9, width=9), expected)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9, 1e20, 3e38])
def test_vertices_far_outside(far: float) -> None:
    vertices = np.array([[-far, -far, 1], [-far, far, 1], [far, -far, 1]], dtype=np.float32)
    image = rasterize(vertices, ONE, WHITE, height=40, width=50)
    above = rasterize(vertices, ONE, WHITE, height=40, width=50, n_threads=3)
    np.testing.assert_array_equal(image, above)
    # x + y < 0 everywhere but on the picture, whose corner lies on the edge p1-p2
    assert (image == 0).all()
    covering = np.array([[-far, -far, 1], [-far, far, 1], [far, 0, 1]], dtype=np.float32)
    assert (rasterize(covering, ONE, WHITE, height=40, width=50) == 255).all()


@pytest.mark.parametrize("seed", range(20))
def test_vast_thin_triangles_stay_within_the_levels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(0, 38, (60, 3))
    vertices = (rng.uniform(-1, 1, (60, 3)) * scale).astype(np.float32)
    faces = rng.integers(0, 60, (200, 3))
    half = np.full((60, 3), 0.5)
    one = rasterize(vertices, faces, half, height=64, width=64)
    assert set(np.unique(one)) <= {0, 127}
    rough = rng.random((60, 3))
    np.testing.assert_array_equal(
        rasterize(vertices, faces, rough, height=64, width=64),
        rasterize(vertices, faces, rough, height=64, width=64, n_threads=5),
    )


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (9, 0), (1, 1), (1, 5000), (5000, 1)])
def test_picture_of_any_size(shape: tuple[int, int]) -> None:
    vertices = np.array([[-1, -1, 0], [-1, 20000, 0], [20000, -1, 0]])
    image = rasterize(vertices, ONE, WHITE, height=shape[0], width=shape[1], n_threads=2)
    assert image.shape == (*shape, 3)
    assert (image == 255).all()
    assert (rasterize_triangles(vertices, ONE, *shape, n_threads=2).triangle == 0).all()


def test_background_is_drawn_in_place() -> None:
    bg = np.zeros((9, 9, 3), dtype=np.uint8)
    assert rasterize(TRIANGLE, ONE, WHITE, bg) is bg
    assert bg[2, 2].tolist() == [255] * 3


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::-1],
        lambda a: a[:, ::-1],
        lambda a: a[:, :, ::-1],
        lambda a: a[::2, ::2],
        lambda a: a[3:, 5:],
        lambda a: np.asfortranarray(a),
        lambda a: a.transpose(1, 0, 2),
    ],
)
def test_background_that_is_not_contiguous_is_drawn_in_place_too(view: Any) -> None:
    bg = view(np.random.default_rng(0).integers(0, 256, (20, 24, 3)).astype(np.uint8))
    expected = rasterize(TRIANGLE, ONE, WHITE, np.array(bg, order="C"))
    assert rasterize(TRIANGLE, ONE, WHITE, bg) is bg
    np.testing.assert_array_equal(bg, expected)


def test_gray_picture_of_two_dimensions() -> None:
    bg = np.zeros((9, 9), dtype=np.uint8)
    assert rasterize(TRIANGLE, ONE, WHITE[:, :1], bg) is bg
    np.testing.assert_array_equal(bg, rasterize(TRIANGLE, ONE, WHITE, height=9, width=9)[..., 0])


def test_arrays_of_other_types_and_layouts() -> None:
    rng = np.random.default_rng(3)
    vertices, colors = rng.random((20, 3), dtype=np.float32) * 30, rng.random((20, 3))
    faces = rng.integers(0, 20, (30, 3)).astype(np.int32)
    expected = rasterize(vertices, faces, colors, height=32, width=32)
    others = [
        (np.asfortranarray(vertices), np.asfortranarray(faces), np.asfortranarray(colors)),
        (vertices.astype(float), faces.astype(np.int64), colors.astype(np.float32)),
        (np.repeat(vertices, 2, axis=0)[::2], faces.astype(np.uint16), colors[::-1][::-1]),
        (vertices.tolist(), faces.tolist(), colors.tolist()),
    ]
    for mesh in others:
        np.testing.assert_array_equal(rasterize(*mesh, height=32, width=32), expected)
    for array in (vertices, faces, colors):
        array.flags.writeable = False
    np.testing.assert_array_equal(rasterize(vertices, faces, colors, height=32, width=32), expected)


def test_input_is_not_changed() -> None:
    vertices, faces, colors = TRIANGLE.copy(), ONE.copy(), WHITE * 3
    rasterize(vertices, faces, colors, height=9, width=9)
    np.testing.assert_array_equal(vertices, TRIANGLE)
    np.testing.assert_array_equal(faces, ONE)
    np.testing.assert_array_equal(colors, WHITE * 3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"vertices": TRIANGLE[:, :2]}, ValueError, r"vertices: .*\(N, 3\)"),
        ({"vertices": TRIANGLE.T[:, :2]}, ValueError, "vertices"),
        ({"vertices": TRIANGLE[0]}, ValueError, "vertices"),
        ({"vertices": TRIANGLE.astype(complex)}, TypeError, "vertices"),
        ({"vertices": [["a", "b", "c"]]}, TypeError, "vertices"),
        ({"triangles": ONE.T}, ValueError, r"triangles: .*\(M, 3\)"),
        ({"triangles": ONE[0]}, ValueError, "triangles"),
        ({"triangles": ONE.astype(float)}, TypeError, "triangles"),
        ({"triangles": [[0, 1, 3]]}, ValueError, "triangles: vertex index 3 .* 3 vertices"),
        ({"triangles": [[0, -1, 2]]}, ValueError, "triangles: vertex index -1"),
        ({"triangles": [[0, 2**40, 2]]}, ValueError, "triangles"),
        ({"vertices": np.zeros((0, 3)), "colors": np.zeros((0, 3))}, ValueError, "triangles"),
        ({"colors": WHITE[:2]}, ValueError, "colors"),
        ({"colors": WHITE[:, :0]}, ValueError, "colors"),
        ({"colors": WHITE[:, :2]}, ValueError, "colors: expected 1 or 3 channels"),
        ({"colors": (WHITE * 255).astype(np.uint8)}, TypeError, "colors: .*divide by 255"),
        ({"bg": np.zeros((9, 9, 3))}, TypeError, "bg: expected uint8"),
        ({"bg": [[1, 2], [3, 4]]}, TypeError, "bg"),
        ({"bg": np.zeros((9,), np.uint8)}, ValueError, "bg"),
        ({"bg": np.zeros((9, 9, 0), np.uint8)}, ValueError, "bg"),
        ({"bg": np.broadcast_to(np.uint8(0), (9, 9, 3))}, ValueError, "bg: is read-only"),
        ({"bg": None}, ValueError, "height, width"),
        ({"bg": None, "height": 9}, ValueError, "height, width"),
        ({"bg": None, "height": -1, "width": 9}, ValueError, "height"),
        ({"bg": None, "height": 9.5, "width": 9}, TypeError, "height"),
        ({"bg": None, "height": 9, "width": 9, "channel": 0}, ValueError, "channel"),
        ({"height": 8}, ValueError, "height: 8"),
        ({"width": 8}, ValueError, "width: 8"),
        ({"channel": 1}, ValueError, "channel: 1"),
        ({"bg": None, "height": 2**31, "width": 1}, ValueError, "height: expected at most"),
        ({"bg": None, "height": 1, "width": 2**40}, ValueError, "width: expected at most"),
        ({"bg": as_strided(np.zeros(1, np.uint8), (2**31, 1), (0, 0))}, ValueError, "bg: .*most"),
        ({"vertices": np.broadcast_to(np.float32(0), (2**31, 3))}, ValueError, "vertices: .*most"),
        ({"triangles": np.broadcast_to(np.int32(0), (2**31, 3))}, ValueError, "triangles: .*most"),
        ({"n_threads": 0}, ValueError, "n_threads"),
        ({"n_threads": 1.5}, TypeError, "n_threads"),
    ],
)
def test_bad_input(change: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {
        "vertices": TRIANGLE,
        "triangles": ONE,
        "colors": WHITE,
        "bg": np.zeros((9, 9, 3), dtype=np.uint8),
    }
    with pytest.raises(error, match=message) as caught:
        rasterize(**{**arguments, **change})
    assert "\n" not in str(caught.value)


def test_bad_input_of_fragments() -> None:
    with pytest.raises(ValueError, match="triangles"):
        rasterize_triangles(TRIANGLE, [[0, 1, 9]], 5, 5)
    with pytest.raises(ValueError, match="width"):
        rasterize_triangles(TRIANGLE, ONE, 5, -5)
    with pytest.raises(ValueError, match="n_threads"):
        rasterize_triangles(TRIANGLE, ONE, 5, 5, n_threads=0)
