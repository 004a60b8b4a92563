"""render, depth, pncc and uv_tex: golden pictures first, then properties they share."""

import cv2
import numpy as np
import pytest

from tddfa.drawing.depth import depth, scaled_depth
from tddfa.drawing.pncc import pncc
from tddfa.drawing.render import render
from tddfa.drawing.uv import uv_tex
from tddfa.errors import InputError
from tddfa.io.pictures import imread
from tddfa.model_files import load_face_model

RNG = np.random.default_rng(3)


def golden_difference(golden, name, img):
    expected = imread(golden / f"trump_hillary_{name}.png")
    assert img.shape == expected.shape
    return np.abs(img.astype(int) - expected).max(axis=2)


def noise(height=80, width=110):
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def ncc(vertices):
    low, high = vertices.min(axis=1, keepdims=True), vertices.max(axis=1, keepdims=True)
    return (vertices - low) / (high - low)


DRAW = {
    "render": lambda img, faces, tri, shape, **k: render(img, faces, tri, **k),
    "depth": lambda img, faces, tri, shape, **k: depth(img, faces, tri, **k),
    "pncc": lambda img, faces, tri, shape, **k: pncc(img, faces, tri, ncc_code=ncc(shape), **k),
}
overlays = pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW.keys())


# ----------------------------------------------------------------------------------------- golden


def test_render_golden(golden, picture, faces, model):
    difference = golden_difference(golden, "render", render(picture, faces, model.tri, alpha=0.6))
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 3  # of 1,058,304: float order in the lighting


def test_depth_golden(golden, picture, faces, model):
    assert golden_difference(golden, "depth", depth(picture, faces, model.tri)).max() == 0
    bare = depth(picture, faces, model.tri, with_bg_flag=False)
    assert golden_difference(golden, "depth_nobg", bare).max() == 0


def test_pncc_golden(golden, picture, faces, model):
    img = pncc(picture, faces, model.tri, ncc_code=model.ncc_code)
    assert golden_difference(golden, "pncc", img).max() == 0
    np.testing.assert_array_equal(pncc(picture, faces, model.carrier), img)


def test_uv_golden(golden, picture, faces, model):
    img = uv_tex(picture, faces, model.carrier)
    difference = golden_difference(golden, "uv_tex", img)
    # The mesh ends exactly on the pixel centers of the map's first row and outer columns. There
    # the reference's float32 rounding decides what is covered, and left holes in its map; by the
    # rule u, v >= 0, u + v < 1 the first row is whole.
    outline = np.zeros(difference.shape, bool)
    outline[0] = outline[:, [0, 255, 256, 511]] = True
    assert difference[~outline].max() <= 1
    assert np.count_nonzero(difference[~outline]) <= 200
    expected = imread(golden / "trump_hillary_uv_tex.png")
    both = outline & expected.any(axis=2) & img.any(axis=2)
    assert np.count_nonzero(both) > 100
    assert difference[both].max() <= 1
    assert img[0, :255].any(axis=1).all() and img[0, 256:511].any(axis=1).all()
    np.testing.assert_array_equal(uv_tex(picture, faces, model.tri, uv=model.uv), img)


# --------------------------------------------------------------------------------- empty and small


@overlays
def test_no_face_leaves_the_picture(draw, bump):
    img = noise()
    shape, tri, _ = bump()
    out = draw(img, [], tri, shape)
    np.testing.assert_array_equal(out, img)
    assert not np.shares_memory(out, img)
    assert not draw(img, [], tri, shape, with_bg_flag=False).any()


def test_uv_without_a_face(bump):
    _, tri, uv = bump()
    out = uv_tex(noise(), [], tri, uv_h=5, uv_w=7, uv=uv)
    assert out.shape == (5, 7, 3) and not out.any()


@overlays
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1)])
def test_tiny_pictures(draw, size, bump):
    shape, tri, _ = bump(center=(0.0, 0.0))
    assert draw(noise(*size), [shape], tri, shape).shape == (*size, 3)


@overlays
def test_no_triangles(draw, bump):
    shape, _, _ = bump()
    img = noise()
    np.testing.assert_array_equal(draw(img, [shape], np.empty((0, 3), np.int32), shape), img)


# ------------------------------------------------------------------------------------- properties


@overlays
@pytest.mark.parametrize("center", [(0.0, 0.0), (109.0, 79.0), (-10.0, 40.0), (55.0, 90.0)])
def test_partly_outside_is_a_part_of_the_whole(draw, center, bump):
    shape, tri, _ = bump(center=center)
    img, pad = noise(), 60
    large = cv2.copyMakeBorder(img, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    moved = shape + np.float32([[pad], [pad], [0]])
    expected = draw(large, [moved], tri, shape)[pad:-pad, pad:-pad]
    out = draw(img, [shape], tri, shape)
    assert (out != img).any()
    # Moving a face by whole pixels rounds its coordinates anew.
    assert np.abs(out.astype(int) - expected).max() <= 1


@overlays
@pytest.mark.parametrize("center", [(-100.0, 40.0), (55.0, 300.0), (1e7, 1e7), (-1e30, 0.0)])
def test_wholly_outside(draw, center, bump):
    shape, tri, _ = bump(center=center)
    img = noise()
    np.testing.assert_array_equal(draw(img, [shape], tri, bump()[0]), img)


@overlays
def test_not_finite_vertices_are_left_out(draw, bump):
    shape, tri, _ = bump()
    img = noise()
    bad = shape.copy()
    bad[0, 30], bad[2, 200], bad[1, 100] = np.nan, np.inf, -np.inf
    out = draw(img, [bad], tri, shape)
    assert (out != img).any()
    np.testing.assert_array_equal(draw(img, [shape * np.nan], tri, shape), img)


@overlays
def test_later_faces_cover_earlier_ones(draw, bump):
    left, tri, _ = bump(center=(45.0, 40.0))
    right = bump(center=(60.0, 45.0))[0]
    bare = {"with_bg_flag": False}
    img = np.zeros((80, 110, 3), np.uint8)
    both = draw(img, [left, right], tri, left, **bare)
    one = draw(img, [right], tri, left, **bare)
    x, y = 60 + np.arange(-14, 15), 45 + np.arange(-14, 15)
    np.testing.assert_array_equal(both[np.ix_(y, x)], one[np.ix_(y, x)])
    assert both[40, 40].any() and not one[40, 40].any()


@overlays
def test_inputs_of_any_layout(draw, bump):
    shape, tri, _ = bump()
    img = noise()
    expected = draw(img, [shape], tri, shape)
    flipped = np.ascontiguousarray(img[:, ::-1])[:, ::-1]
    rgb_view = np.ascontiguousarray(img[..., ::-1])[..., ::-1]
    frozen = img.copy()
    frozen.flags.writeable = False
    for other in (flipped, rgb_view, frozen):
        np.testing.assert_array_equal(draw(other, [shape], tri, shape), expected)
    fortran = np.asfortranarray(shape)
    for faces in ([fortran], (fortran,), shape, shape[None], [shape.astype(float)]):
        np.testing.assert_array_equal(draw(img, faces, tri, shape), expected)
    for triangles in (tri.T, tri.astype(np.int64), np.asfortranarray(tri), tri.tolist()):
        np.testing.assert_array_equal(draw(img, [shape], triangles, shape), expected)


@overlays
def test_threads_change_nothing(draw, bump):
    shape, tri, _ = bump()
    img = noise()
    expected = draw(img, [shape], tri, shape)
    np.testing.assert_array_equal(draw(img, [shape], tri, shape, n_threads=3), expected)


@overlays
def test_written_as_returned(draw, tmp_path, bump):
    shape, tri, _ = bump()
    out = draw(noise(), [shape], tri, shape, wfp=tmp_path / "new" / "a.png")
    np.testing.assert_array_equal(imread(tmp_path / "new" / "a.png"), out)


@overlays
def test_wrong_arguments(draw, bump):
    shape, tri, _ = bump()
    img = noise()
    for args in [
        (img[..., 0], [shape], tri),
        (img.astype(float), [shape], tri),
        (img[:0], [shape], tri),
        (img, [shape[:2]], tri),
        (img, [shape], tri + 400),
        (img, [shape], tri - 1),
        (img, [shape], tri.astype(float)),
        (img, [shape], tri[:, :2]),
    ]:
        with pytest.raises(InputError) as error:
            draw(*args, shape)
        assert "\n" not in str(error.value)


# ------------------------------------------------------------------------------------ one by one


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.25, 0.5, 0.6, 0.9, 1.0])
def test_render_mixes_as_the_contract_says(alpha, bump):
    left, tri, _ = bump(center=(45.0, 40.0))
    faces = [left, bump(center=(58.0, 45.0))[0], bump(center=(95.0, 10.0))[0]]
    img = noise()
    # Every gray level lies in the ground, mixed or not.
    img[:2] = np.arange(220).reshape(2, 110, 1)
    img[2, :36] = np.arange(220, 256)[:, None]
    shaded = render(img, faces, tri, alpha=1.0)
    expected = cv2.addWeighted(img, 1 - alpha, shaded, alpha, 0)
    np.testing.assert_array_equal(render(img, faces, tri, alpha=alpha), expected)


@pytest.mark.parametrize("alpha", np.linspace(0, 1, 101))
def test_mixing_a_picture_with_itself_changes_nothing(alpha):
    levels = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(cv2.addWeighted(levels, 1 - alpha, levels, alpha, 0), levels)


@pytest.mark.parametrize("alpha", [-0.1, 1.5, np.nan])
def test_render_alpha(alpha, bump):
    shape, tri, _ = bump()
    with pytest.raises(InputError, match="alpha"):
        render(noise(), [shape], tri, alpha=alpha)


def test_scaled_depth(bump):
    shape = bump()[0]
    scaled = scaled_depth(shape)
    assert scaled.min() == 0 and scaled.max() == 1
    shape[2] = 7
    assert not scaled_depth(shape).any()
    assert scaled_depth(np.empty((3, 0), np.float32)).shape == (0,)


@pytest.mark.parametrize("value", [None, np.zeros((3, 5)), np.zeros((441, 2))])
def test_tables_of_a_wrong_size(value, bump):
    shape, tri, _ = bump()
    with pytest.raises(InputError, match="ncc_code"):
        pncc(noise(), [shape], tri, ncc_code=value)
    if value is None or value.shape != (441, 2):
        with pytest.raises(InputError, match="uv"):
            uv_tex(noise(), [shape], tri, uv=value)


@pytest.mark.parametrize("n_faces", [1, 3, 11])
def test_uv_maps_lie_side_by_side(n_faces, bump):
    _, tri, uv = bump()
    faces = [bump(center=(20.0 + 6 * k, 40.0))[0] for k in range(n_faces)]
    img = noise()
    out = uv_tex(img, faces, tri, uv_h=40, uv_w=30, uv=uv)
    assert out.shape == (40, 30 * n_faces, 3)
    for k, face in enumerate(faces):
        single = uv_tex(img, [face], tri, uv_h=40, uv_w=30, uv=uv)
        np.testing.assert_array_equal(out[:, 30 * k : 30 * k + 30], single)


def test_uv_shows_the_picture_upright(bump):
    shape, tri, uv = bump(center=(50.0, 40.0), radius=20.0)
    img = np.zeros((80, 110, 3), np.uint8)
    img[..., 0] = np.arange(110)
    img[..., 2] = np.arange(80)[:, None]
    out = uv_tex(img, [shape], tri, uv_h=41, uv_w=41, uv=uv).astype(int)
    # One map pixel is one picture pixel; the last row and column belong to no triangle.
    np.testing.assert_allclose(out[:40, :40, 0], np.tile(30 + np.arange(40), (40, 1)), atol=1)
    np.testing.assert_allclose(out[:40, :40, 2], np.tile(20 + np.arange(40), (40, 1)).T, atol=1)


@pytest.mark.parametrize("sizes", [{"uv_h": 0}, {"uv_w": 20_000}, {"uv_c": 4}])
def test_uv_sizes(sizes, bump):
    shape, tri, uv = bump()
    with pytest.raises(InputError, match="uv_"):
        uv_tex(noise(), [shape], tri, uv=uv, **sizes)


# ------------------------------------------------------------------------------ the mouth's inside


@pytest.fixture(scope="module")
def shipped(project_root):
    return load_face_model(project_root / "configs" / "face_model.npz")


def jaw_dropped(model, yaw=0.0):
    """Return the vertices of a mean face with an open mouth, and where its lips are apart."""
    jaw = model.exp_names.index("jaw_open")
    wide = model.exp_range[jaw, 1]
    shape = model.u[:, 0] + wide * model.w_exp[:, jaw].astype(np.float32)
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    turned = shape.reshape(-1, 3) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    vertices = (turned * [0.8, -0.8, 0.8] + [100, 120, 0]).T.astype(np.float32)
    return vertices, np.rint(vertices[:2, model.landmark_vertices[[62, 66]]].mean(axis=1))


@pytest.mark.parametrize("draw", [render, depth, pncc])
def test_an_open_mouth_shows_the_picture(shipped, draw):
    vertices, (x, y) = jaw_dropped(shipped)
    picture = np.full((240, 200, 3), (10, 200, 90), np.uint8)
    drawn = draw(picture, [vertices], shipped.tri)
    x, y = int(x), int(y)
    np.testing.assert_array_equal(drawn[y - 2 : y + 3, x - 2 : x + 3], picture[:5, :5])
    assert (drawn[y - 25, x] != picture[0, 0]).any() and (drawn[y + 20, x] != picture[0, 0]).any()
    np.testing.assert_array_equal(draw(picture, [vertices], np.array(shipped.tri)), drawn)
    np.testing.assert_array_equal(draw(picture, [vertices], shipped.tri[::-1]), drawn)


def test_triangles_of_an_unknown_mesh_are_all_drawn(shipped):
    vertices, (x, y) = jaw_dropped(shipped)
    picture = np.full((240, 200, 3), (10, 200, 90), np.uint8)
    whole = render(picture, [vertices], np.array(shipped.tri)[:-1])
    assert (whole[int(y), int(x)] != picture[0, 0]).any()


def test_the_mouths_inside_is_left_in_textures(shipped):
    vertices, _ = jaw_dropped(shipped)
    picture = np.full((240, 200, 3), 255, np.uint8)
    texture = uv_tex(picture, [vertices], shipped.tri)
    u, v = shipped.tri.uv[shipped.regions["mouth_inside"]].mean(axis=0)
    assert texture[round(255 * (1 - v)), round(255 * u)].all()
