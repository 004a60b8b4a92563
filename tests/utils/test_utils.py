"""`utils`: what the alias layer does beyond passing on."""

import argparse
import importlib

import cv2
import numpy as np
import pytest

import tddfa
import utils.render as render_module
from Sim3DR import RenderPipeline, rasterize
from Sim3DR.lighting import convert_type, norm, norm_vertices
from Sim3DR.rasterize import rasterize as strict_rasterize
from tddfa import InputError
from tddfa.drawing.landmark_picture import draw_landmarks as strict_draw_landmarks
from tddfa.drawing.pncc import pncc as strict_pncc
from tddfa.drawing.uv import uv_tex as strict_uv_tex
from tddfa.roi import crop_img as strict_crop_img
from tddfa.topology import Topology
from utils import io as utils_io
from utils import render_ctypes, uv
from utils.functions import calc_hypotenuse, crop_img, cv_draw_landmark, draw_landmarks, plot_image
from utils.onnx import convert_to_onnx
from utils.pncc import calc_ncc_code, pncc
from utils.pose import build_camera_box, calc_pose, plot_pose_box, viz_pose
from utils.render_ctypes import TrianglesMeshRender
from utils.tddfa_util import _to_ctype, str2bool, to_basel_units

RNG = np.random.default_rng(4)
NOISE = RNG.integers(0, 255, (90, 120, 3), np.uint8)
LANDMARKS = np.vstack([RNG.uniform(30, 80, (2, 68)), np.zeros((1, 68))]).astype(np.float32)
PARAM = np.zeros(62, np.float32)
PARAM[:12] = [0.5, 0.1, 0, 60, -0.1, 0.5, 0, 60, 0, 0, 0.5, 0]


# -------------------------------------------------------------------------------------------- pose


def views(img):
    """The same picture in layouts that people pass on."""
    yield img.copy()
    yield img.copy()[..., ::-1]
    yield img.copy()[::-1]
    yield np.asfortranarray(img)
    yield np.repeat(img, 2, axis=1)[:, ::2]


def test_viz_pose_draws_into_any_view(capsys):
    for view in views(NOISE):
        before = view.copy()
        out = viz_pose(view, [PARAM], [LANDMARKS])
        assert (view != before).any() and np.array_equal(out, view)
    assert len(set(capsys.readouterr().out.splitlines())) == 1


def test_viz_pose_into_floats_and_into_what_is_read_only():
    img = NOISE.astype(np.float32)
    out = viz_pose(img, [PARAM], [LANDMARKS])
    assert out is img and (img != NOISE).any()
    frozen = NOISE.copy()
    frozen.flags.writeable = False
    out = viz_pose(frozen, [PARAM], [LANDMARKS])
    assert np.array_equal(frozen, NOISE) and (out != NOISE).any()
    np.testing.assert_array_equal(out, img.astype(np.uint8))


def test_plot_pose_box_in_every_layout():
    drawn = [plot_pose_box(view, np.eye(3, 4), LANDMARKS) for view in views(NOISE)]
    np.testing.assert_array_equal(drawn[0], drawn[3])
    np.testing.assert_array_equal(drawn[0], drawn[4])
    assert all((a != b).any() for a, b in zip(drawn[:3], [NOISE] * 3, strict=True))


@pytest.mark.parametrize(
    ("img", "ver"), [(None, LANDMARKS), (NOISE[..., 0], LANDMARKS), (NOISE, LANDMARKS[:, :5])]
)
def test_viz_pose_of_something_else(img, ver):
    with pytest.raises(InputError):
        viz_pose(img, [PARAM], [ver])


@pytest.mark.parametrize("length", [12, 13, 62, 72, 100, 141])
def test_pose_is_in_the_first_twelve_numbers(length, capsys):
    param = np.resize(PARAM, length)
    camera, angles = calc_pose(param.tolist())
    expected_camera, expected_angles = tddfa.calc_pose(PARAM)
    np.testing.assert_array_equal(camera, expected_camera)
    assert angles == expected_angles and isinstance(angles, list)
    drawn = viz_pose(NOISE.copy(), [param], [LANDMARKS])
    np.testing.assert_array_equal(drawn, viz_pose(NOISE.copy(), [PARAM], [LANDMARKS]))
    assert len(set(capsys.readouterr().out.splitlines())) == 1


@pytest.mark.parametrize("param", [PARAM[:11], PARAM[None], 1.0])
def test_pose_of_something_else(param):
    with pytest.raises(InputError, match="param: expected 12 or more numbers"):
        calc_pose(param)


def test_camera_box():
    box = build_camera_box(90)
    assert box.shape == (10, 3) and box.dtype == np.float32
    np.testing.assert_array_equal(box[0], box[4])
    np.testing.assert_array_equal(box[5], box[9])
    np.testing.assert_allclose(box[:5, 2], 0)
    np.testing.assert_allclose(box[5:, 2], 120)
    assert np.abs(box[:5, :2]).min() == np.abs(box[:5, :2]).max() == 90


def test_hypotenuse():
    points = np.array([[10.0, 40.0, 20.0], [0.0, 10.0, 5.0]])
    assert calc_hypotenuse(points) == pytest.approx(30 * np.sqrt(2) / 3)


# ----------------------------------------------------------------------------------------- drawing


@pytest.mark.parametrize(
    ("color", "bgr"),
    [
        ("c", (191, 191, 0)),
        ("#ff8000", (0, 128, 255)),
        ((1, 0, 0), (0, 0, 255)),
        ((255, 0, 10), (255, 0, 10)),
        ([0, 1.0, 0, 1], (0, 255, 0)),
    ],
)
def test_colors(color, bgr):
    out = draw_landmarks(NOISE, [LANDMARKS], dense_flag=True, color=color)
    np.testing.assert_array_equal(
        out, draw_landmarks(NOISE, [LANDMARKS], dense_flag=True, color=tuple(np.float32(bgr) + 0.0))
    )


@pytest.mark.parametrize(
    ("suffix", "magic"),
    [("pdf", b"%PDF"), ("svg", b"<?xml"), ("eps", b"%!PS"), ("png", b"\x89PNG")],
)
def test_targets(tmp_path, suffix, magic):
    path = tmp_path / f"x.{suffix}"
    draw_landmarks(NOISE, [LANDMARKS], wfp=path)
    assert path.read_bytes().startswith(magic)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_float_pictures():
    img = NOISE.astype(np.float64)
    np.testing.assert_array_equal(
        draw_landmarks(img, [LANDMARKS]), draw_landmarks(NOISE, [LANDMARKS])
    )
    np.testing.assert_array_equal(
        cv_draw_landmark(img, LANDMARKS), cv_draw_landmark(NOISE, LANDMARKS)
    )
    plot_image(img)


@pytest.mark.parametrize("count", [0, 1, 5, 98, 106, 478])
def test_simple_style_draws_any_number_of_points(count):
    black = np.zeros((90, 120, 3), np.uint8)
    points = np.vstack([RNG.integers(20, 70, (2, count)), np.zeros((1, count))])
    before = points.copy()
    out = draw_landmarks(black, [points], style="simple")
    assert out[tuple(points[1::-1].astype(int))].any(axis=1).all()
    rows, columns = np.nonzero(out.any(axis=2))
    distances = np.hypot(columns[:, None] - points[0], rows[:, None] - points[1])
    assert (distances.min(axis=1, initial=99) <= 1).all() and len(rows) >= bool(count)
    np.testing.assert_array_equal(points, before)
    np.testing.assert_array_equal(draw_landmarks(black, points[:2], style="simple"), out)


def test_simple_style_of_several_faces(tmp_path):
    other = LANDMARKS[:, :20] + np.float32([[40], [0], [0]])
    out = draw_landmarks(NOISE, iter([LANDMARKS, other]), "simple", tmp_path / "x.png")
    alone = draw_landmarks(NOISE, [LANDMARKS], style="simple")
    np.testing.assert_array_equal(out, draw_landmarks(alone, [other], style="simple"))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "x.png")), out)
    np.testing.assert_array_equal(alone, strict_draw_landmarks(NOISE, [LANDMARKS], style="simple"))


def test_points_that_are_not_finite_are_left_out():
    points = LANDMARKS[:, :20].copy()
    expected = draw_landmarks(NOISE, [points[:, 1:]], style="simple")
    points[0, 0] = np.nan
    np.testing.assert_array_equal(draw_landmarks(NOISE, [points], style="simple"), expected)


def test_points_that_cannot_be_drawn():
    for style, points in (("fancy", LANDMARKS[:, :5]), ("simple", LANDMARKS[0, :5])):
        with pytest.raises(InputError, match="pts"):
            draw_landmarks(NOISE, [points], style=style)
    with pytest.raises(InputError, match="68 landmarks"):
        strict_draw_landmarks(NOISE, [LANDMARKS[:, :5]], style="simple")


@pytest.mark.parametrize(
    "roi", [[5, 6, 40, 50], [-9, 6, 40, 50], [100, 70, 140, 95], [-9, -9, -2, -2]]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_crops_are_uint8_wherever_they_lie(roi, dtype):
    crop = crop_img(NOISE.astype(dtype), roi)
    assert crop.dtype == np.uint8
    np.testing.assert_array_equal(crop, crop_img(NOISE, roi))
    np.testing.assert_array_equal(crop, strict_crop_img(NOISE, roi))


def test_crop_inside_a_picture_is_a_view():
    assert np.shares_memory(crop_img(NOISE, [5, 6, 40, 50]), NOISE)


def test_light_of_render_app(bump_mesh, monkeypatch):
    vertices, tri = bump_mesh
    lit = render_module.render(NOISE, [vertices], tri, alpha=1)
    monkeypatch.setattr(render_module, "render_app", RenderPipeline(**render_module.cfg))
    np.testing.assert_array_equal(render_module.render(NOISE, [vertices], tri, alpha=1), lit)
    render_module.render_app.update_light_pos((5, 0, 0))
    moved = render_module.render(NOISE, [vertices], tri, alpha=1)
    left, right = moved[:, :50].mean(), moved[:, 50:100].mean()
    assert (moved != lit).any() and right > left
    with pytest.raises(ValueError, match="light_pos"):
        render_module.render_app.update_light_pos((1, 2))


@pytest.fixture
def bump_mesh():
    s, t = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 1, 21))
    xyz = [50 + 30 * s, 45 + 30 * t, 20 * (2 - s**2 - t**2)]
    i = np.arange(21 * 21).reshape(21, 21)
    a, b, c, d = (x.ravel() for x in (i[:-1, :-1], i[:-1, 1:], i[1:, :-1], i[1:, 1:]))
    tri = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]).astype(np.int32)
    return np.stack([x.ravel() for x in xyz]).astype(np.float32), tri


def test_other_apps_render(bump_mesh, monkeypatch, tmp_path):
    vertices, tri = bump_mesh
    app = RenderPipeline(**render_module.cfg)
    for alpha in (0.6, 1):
        for with_bg in (True, False):
            options = {"alpha": alpha, "with_bg_flag": with_bg}
            expected = render_module.render(NOISE, [vertices], tri, **options)
            with monkeypatch.context() as patch:
                patch.setattr(render_module, "render_app", lambda *mesh: app(*mesh))
                drawn = render_module.render(NOISE, [vertices], tri, **options)
            np.testing.assert_array_equal(drawn, expected)
    matt = render_ctypes.render(NOISE.astype(float), [vertices], tri, wfp=tmp_path / "matt.png")
    monkeypatch.setattr(render_module, "render_app", TrianglesMeshRender())
    np.testing.assert_array_equal(render_module.render(NOISE, [vertices], tri), matt)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "matt.png")), matt)
    lit = render_module.render(NOISE, [vertices], tri, lights=app)
    assert (lit != matt).any()
    monkeypatch.setattr(render_ctypes, "render_app", app)
    np.testing.assert_array_equal(render_ctypes.render(NOISE, [vertices], tri), lit)


def test_apps_that_draw_something_else(bump_mesh, monkeypatch):
    vertices, tri = bump_mesh
    monkeypatch.setattr(
        render_module, "render_app", lambda points, faces, img: np.full_like(img, 9)
    )
    drawn = render_module.render(NOISE, [vertices], tri, alpha=0.5)
    np.testing.assert_allclose(drawn, (NOISE + 9.0) / 2, atol=1)
    monkeypatch.setattr(render_module, "render_app", lambda points, faces, img: img[:5])
    with pytest.raises(InputError, match="render_app: expected a picture"):
        render_module.render(NOISE, [vertices], tri)
    with pytest.raises(InputError, match="alpha"):
        render_module.render(NOISE, [vertices], tri, alpha=2)


def test_mesh_render_is_matt(bump_mesh):
    vertices, tri = bump_mesh
    out = TrianglesMeshRender(None, ambient=(0.1, 0.2, 0.3), direction=(0, 0, 0))(
        vertices.T, tri, NOISE.copy()
    )
    assert out[45, 50].tolist() == [25, 51, 76]


# ------------------------------------------------------------------------------------------ Sim3DR


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("reverse", [False, True])
def test_rasterize_into_other_types(bump_mesh, dtype, reverse):
    vertices, tri = bump_mesh
    colors = RNG.uniform(size=(vertices.shape[1], 3))
    expected = strict_rasterize(vertices.T, tri, colors, NOISE.copy(), reverse=reverse)
    bg = NOISE.astype(dtype)
    assert rasterize(vertices.T, tri, colors, bg=bg, reverse=reverse) is bg
    assert bg.dtype == dtype
    np.testing.assert_array_equal(bg, expected)
    fractions = NOISE + np.float32(0.5)
    rasterize(vertices.T, tri, colors, bg=fractions, reverse=reverse)
    same = (expected == NOISE).all(axis=2)
    assert same.any()
    np.testing.assert_array_equal(fractions[:5], NOISE[:5] + np.float32(0.5))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_size_of_the_background_wins(bump_mesh, dtype):
    vertices, tri = bump_mesh
    colors = RNG.uniform(size=(vertices.shape[1], 3))
    expected = strict_rasterize(vertices.T, tri, colors, NOISE.copy())
    bg = NOISE.astype(dtype)
    assert rasterize(vertices.T, tri, colors, bg=bg, height=5, width=700, channel=1) is bg
    np.testing.assert_array_equal(bg, expected)
    with pytest.raises(ValueError, match="height: 5 does not fit bg"):
        strict_rasterize(vertices.T, tri, colors, NOISE.copy(), height=5)


def test_rasterize_refuses_as_ever(bump_mesh):
    vertices, tri = bump_mesh
    with pytest.raises(TypeError, match="bg"):
        rasterize(vertices.T, tri, np.ones(441), bg=[[1, 2]])
    with pytest.raises(ValueError, match="height"):
        rasterize(vertices.T, tri, np.ones(441))
    with pytest.raises(TypeError, match="bg: expected uint8"):
        strict_rasterize(vertices.T, tri, np.ones(441), np.zeros((9, 9, 3)))


def test_helpers_of_lighting():
    points = RNG.normal(size=(20, 3)) * [4, 2, 1] + 7
    low = points.min(axis=0)
    largest = (points - low).max()
    out = norm_vertices(points)
    assert out is points
    np.testing.assert_allclose(out.max(axis=0), -out.min(axis=0), atol=1e-9)
    assert np.ptp(out, axis=0).max() == pytest.approx(2) and largest > 2
    np.testing.assert_allclose(np.linalg.norm(norm(points), axis=1), 1)
    assert convert_type([1, 2, 3]).shape == (1, 3) and convert_type(points) is points


# ------------------------------------------------------------------------------------- uv and pncc


def test_tables_of_the_shipped_model(project_root):
    from tddfa import load_face_model

    model = load_face_model(project_root / "configs" / "face_model.npz")
    np.testing.assert_array_equal(uv.g_uv_coords, model.tri.uv)
    np.testing.assert_array_equal(calc_ncc_code(), model.tri.ncc_code)
    np.testing.assert_array_equal(uv.indices, np.arange(model.n_vertices))
    np.testing.assert_array_equal(importlib.import_module("utils.pncc").ncc_code, calc_ncc_code())
    uv.g_uv_coords[:] = 0  # a copy: nobody else's table is spoilt
    np.testing.assert_array_equal(uv.g_uv_coords, model.tri.uv)
    for module in ("utils.uv", "utils.pncc"):
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            importlib.import_module(module).nothing  # noqa: B018 (reading raises)


def edited(tri, how):
    """Plain triangles that are no model's any more, as many as before or less."""
    if how == "part":
        return np.array(tri)[::2]
    turned = np.array(tri)
    turned[0] = turned[0, [1, 2, 0]]
    return turned.T if how == "transposed" else turned


@pytest.fixture(scope="module", params=["shipped", "reference"])
def face_of_a_model(request, project_root):
    """A face, its triangles with their tables, and the asset folder they need."""
    from tddfa import load_face_model
    from tddfa.compat.bfm import BFMModel

    if request.param == "shipped":
        folder, model = None, load_face_model(project_root / "configs" / "face_model.npz")
    else:
        folder = request.getfixturevalue("upstream")
        model = BFMModel(folder / "configs" / "bfm_interpolated_from_sparse.pkl")
    face = model.u.reshape(-1, 3).T.astype(np.float32)
    face = face * [[1], [-1], [1]] * (80 / np.ptp(face[1])) + 45
    return face, model.tri, folder


@pytest.mark.parametrize("how", ["part", "turned", "transposed"])
def test_edited_triangles(face_of_a_model, how, monkeypatch):
    face, tri, folder = face_of_a_model
    monkeypatch.delenv("TDDFA_ASSETS", raising=False)
    if folder is not None:
        monkeypatch.setenv("TDDFA_ASSETS", str(folder))
    plain, tables = edited(tri, how), {"ncc_code": tri.ncc_code}
    expected = strict_pncc(NOISE, [face], plain, **tables)
    assert (expected != NOISE).any()
    np.testing.assert_array_equal(pncc(NOISE, iter([face]), plain), expected)
    expected = strict_uv_tex(NOISE, [face], plain, 40, 30, uv=tri.uv)
    assert expected.any()
    np.testing.assert_array_equal(uv.uv_tex(NOISE, iter([face]), plain, 40, 30), expected)
    for strict in (strict_pncc, strict_uv_tex):
        with pytest.raises(InputError, match="tri carries none"):
            strict(NOISE, [face], plain)


def test_triangles_of_another_model():
    tri, face = [[0, 1, 2]], np.array([[5, 50, 5], [5, 5, 50], [0, 0, 0]], np.float32)
    for draw in (pncc, uv.uv_tex):
        with pytest.raises(InputError, match="tri carries none"):
            draw(NOISE, [face], tri)
    assert (pncc(NOISE, [face], tri, ncc_code=np.ones((3, 3))) != NOISE).any()
    own = Topology(tri, np.ones((3, 3), np.float32), np.eye(3, 2, dtype=np.float32))
    assert (pncc(NOISE, [face], own) != NOISE).any() and uv.uv_tex(NOISE, [face], own).any()


def test_places_on_the_map():
    coordinates = np.array([[0, 0], [1, 1], [0.5, 0.25]], np.float32)
    places = uv.process_uv(coordinates, uv_h=101, uv_w=201)
    np.testing.assert_allclose(places, [[0, 100, 0], [200, 0, 0], [100, 75, 0]])
    assert coordinates.max() == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_colors_between_pixels(dtype):
    img = NOISE.astype(dtype)
    x, y = RNG.uniform(-3, 125, 50), RNG.uniform(-3, 95, 50)
    colors = uv.bilinear_interpolate(img, x, y)
    expected = cv2.remap(
        NOISE.astype(np.float32),
        np.clip(x, 0, 119).astype(np.float32)[None],
        np.clip(y, 0, 89).astype(np.float32)[None],
        cv2.INTER_LINEAR,
    )[0]
    np.testing.assert_allclose(colors, expected, atol=4)  # remap counts in 32nds of a pixel
    np.testing.assert_allclose(uv.get_colors(img, np.stack([x, y])), colors, atol=1e-2)
    assert uv.bilinear_interpolate(img[..., 0], x, y).shape == (50,)


def test_uv_file(upstream, tmp_path):
    assert uv.load_uv_coords(upstream / "configs" / "BFM_UV.mat").shape == (53215, 2)
    (tmp_path / "x.mat").write_text("no")
    with pytest.raises(InputError, match=r"x\.mat"):
        uv.load_uv_coords(tmp_path / "x.mat")


# ------------------------------------------------------------------------------------------- files


def test_load_and_dump(tmp_path):
    utils_io.mkdir(tmp_path / "a" / "b")
    utils_io.mkdir(tmp_path / "a" / "b")
    array = RNG.normal(size=(3, 4)).astype(np.float32)
    utils_io._dump(tmp_path / "a" / "b" / "x.npy", array)
    np.testing.assert_array_equal(utils_io._load(tmp_path / "a" / "b" / "x.npy"), array)
    utils_io._dump(tmp_path / "x.pkl", {"mean": array, "names": ["a", 1.5]})
    loaded = utils_io._load(str(tmp_path / "x.pkl"))
    np.testing.assert_array_equal(loaded["mean"], array)
    assert loaded["names"] == ["a", 1.5]
    assert utils_io._load_tensor(tmp_path / "a" / "b" / "x.npy").tolist() == array.tolist()
    assert utils_io._get_suffix("a/b.tar.gz") == "gz" and utils_io._get_suffix("a") == ""


def test_triangles_are_dumped_as_plain_arrays(tmp_path):
    tri = Topology([[0, 1, 2], [1, 2, 3]], np.zeros((3, 4), np.float32))
    utils_io._dump(tmp_path / "x.pkl", {"tri": tri, "more": [(tri[:1], 2.5), tri.T]})
    loaded = utils_io._load(tmp_path / "x.pkl")
    (part, number), turned = loaded["more"]
    assert number == 2.5
    assert all(type(array) is np.ndarray for array in (loaded["tri"], part, turned))
    np.testing.assert_array_equal(loaded["tri"], tri)
    np.testing.assert_array_equal(part, tri[:1])
    np.testing.assert_array_equal(turned, tri.T)
    utils_io._dump(tmp_path / "x.pkl", tri)
    np.testing.assert_array_equal(utils_io._load(tmp_path / "x.pkl"), tri)


def test_nothing_in_a_pickle_is_executed(tmp_path):
    utils_io._dump(tmp_path / "x.pkl", importlib.import_module)
    with pytest.raises(InputError, match=r"x\.pkl"):
        utils_io._load(tmp_path / "x.pkl")
    for name in ("x.txt", "x"):
        with pytest.raises(InputError, match=r"\.npy or \.pkl"):
            utils_io._load(tmp_path / name)
        with pytest.raises(InputError, match=r"\.npy or \.pkl"):
            utils_io._dump(tmp_path / name, 1)
    np.save(tmp_path / "o.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"o\.npy"):
        utils_io._load(tmp_path / "o.npy")


def test_conversion(tmp_path):
    torch = pytest.importorskip("torch")
    from models import mobilenet_025

    torch.save(mobilenet_025().state_dict(), tmp_path / "net.pth")
    cfg = {"checkpoint_fp": str(tmp_path / "net.pth"), "widen_factor": 0.25, "my_key": 1}
    written = convert_to_onnx(**cfg)
    assert written == str(tmp_path / "net.onnx") and (tmp_path / "net.onnx").is_file()


def test_words():
    assert all(str2bool(word) for word in ("yes", "True", "t", "Y", "1", True))
    assert not any(str2bool(word) for word in ("no", "False", "f", "N", "0", False))
    with pytest.raises(argparse.ArgumentTypeError, match="maybe"):
        str2bool("maybe")


def test_order_in_memory():
    array = np.zeros((3, 4))
    assert _to_ctype(array) is array and _to_ctype(array.T).flags.c_contiguous


def test_basel_units():
    np.testing.assert_allclose(to_basel_units(PARAM)[0], 5e-4)
