from itertools import pairwise

import numpy as np
import pytest

from tddfa.drawing.landmark_picture import (
    crop_img,
    cv_draw_landmark,
    draw_landmarks,
    get_suffix,
    parse_roi_box_from_bbox,
    parse_roi_box_from_landmark,
    plot_image,
)
from tddfa.drawing.landmarks import DENSE, draw_dots, face_size
from tddfa.errors import InputError
from tddfa.ibug68 import OUTLINES
from tddfa.io.pictures import imread


@pytest.fixture(scope="module")
def landmarks(golden):
    return list(np.load(golden / "tddfa_mb05.npz")["trump_hillary_sparse"])


def circle(scale=40.0, center=(60.0, 50.0), n=68):
    """Return n points on a circle, (3, n)."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    xy = [center[0] + scale * np.cos(angle), center[1] + scale * np.sin(angle)]
    return np.stack([*xy, 0 * angle]).astype(np.float32)


def gray(level=128, shape=(100, 120, 3)):
    return np.full(shape, level, np.uint8)


@pytest.mark.parametrize("dense_flag", [False, True])
def test_no_face(dense_flag):
    img = gray()
    out = draw_landmarks(img, [], dense_flag=dense_flag)
    np.testing.assert_array_equal(out, img)
    assert not np.shares_memory(out, img)


def test_every_part_is_named_once():
    assert [i for first, end, _ in OUTLINES for i in range(first, end)] == list(range(68))


@pytest.mark.parametrize("ground", [0, 60, 128, 200, 255])
@pytest.mark.parametrize("style", ["fancy", "simple"])
def test_points_stand_out_on_any_ground(picture, landmarks, ground, style):
    img = np.full_like(picture, ground)
    out = draw_landmarks(img, landmarks, style=style)
    for points in landmarks:
        x, y = np.rint(points[:2]).astype(int)
        contrast = np.abs(out[y, x].astype(int) - ground).max(axis=1)
        assert contrast.min() > 50


def test_lines_join_the_points_of_a_part(picture, landmarks):
    img = np.zeros_like(picture)
    out = draw_landmarks(img, landmarks).max(axis=2)
    dots = draw_landmarks(img, landmarks, style="simple").max(axis=2)
    for points in landmarks:
        for first, end, closed in OUTLINES:
            ring = [*range(first, end), first] if closed else range(first, end)
            for a, b in pairwise(ring):
                x, y = np.rint((points[:2, a] + points[:2, b]) / 2).astype(int)
                assert out[y, x] > 0
                if first == 0:  # the jaw's points are far apart: light line, nothing without it
                    assert out[y, x] > 150 and dots[y, x] == 0


def test_line_width_follows_the_face():
    img = np.zeros((1000, 1000, 3), np.uint8)
    drawn = []
    for scale in (20, 450):
        out = draw_landmarks(img, [circle(scale, (500, 500))])
        drawn.append(np.count_nonzero(out.max(axis=2)) / scale)
    assert drawn[1] > 2 * drawn[0]


@pytest.mark.parametrize("dense_flag", [False, True])
@pytest.mark.parametrize("center", [(-500, 50), (0, 0), (119, 99), (60, 1e9), (3e38, -3e38)])
def test_points_outside(dense_flag, center):
    img = gray()
    out = draw_landmarks(img, [circle(center=center)], dense_flag=dense_flag)
    assert out.shape == img.shape
    inside = max(abs(center[0] - 60), abs(center[1] - 50)) < 80
    assert (out != img).any() == inside


@pytest.mark.parametrize("dense_flag", [False, True])
def test_not_finite_points(dense_flag):
    img, points = gray(), circle()
    points[:, 12] = np.nan
    points[0, 30] = np.inf
    assert (draw_landmarks(img, [points], dense_flag=dense_flag) != img).any()
    nothing = draw_landmarks(img, [points * np.nan], dense_flag=dense_flag)
    np.testing.assert_array_equal(nothing, img)


@pytest.mark.parametrize("far", [1e4, 1e6, -1e6, 3e38, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dense_flag", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_points_far_outside_cost_nothing(dense_flag, far, share):
    """A dot's radius and a line's width follow the face, and must not follow it to the moon."""
    img, rng = gray(), np.random.default_rng(0)
    points = circle()
    if dense_flag:
        points = rng.uniform(20, 80, (3, 3000)).astype(np.float32)
    chosen = rng.random(points.shape) < share
    points[chosen] = np.float32(far) * rng.choice([-1, 0.3, 1], chosen.sum()).astype(np.float32)
    assert face_size(points[:, np.isfinite(points).all(axis=0)], img) <= 2 * 120
    for style in ("fancy", "simple"):  # took minutes
        out = draw_landmarks(img, [points], style=style, dense_flag=dense_flag)
        assert out.shape == img.shape


@pytest.mark.parametrize("radius", [0, 1, 7, 8, 9, 10, 23, 400])
def test_dots_of_any_size(radius):
    img, rng = gray(0, (37, 53, 3)), np.random.default_rng(radius)
    points = rng.uniform(-60, 110, (2, 5)).astype(np.float32)
    expected = img.copy()
    y, x = np.mgrid[: img.shape[0], : img.shape[1]]
    for column, row in np.rint(points.T):
        distance = (x - column) ** 2 + (y - row) ** 2
        expected[distance <= radius * radius + radius / 2] = (1, 2, 3)
    draw_dots(img, points, radius, (1, 2, 3))
    np.testing.assert_array_equal(img, expected)
    huge = gray(0, (37, 53, 3))
    draw_dots(huge, points, 10**6, (1, 2, 3))
    assert (huge == (1, 2, 3)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("dense_flag", [False, True])
def test_thin_pictures(size, dense_flag):
    assert draw_landmarks(gray(9, (*size, 3)), [circle()], dense_flag=dense_flag).shape[:2] == size


def test_every_sixth_vertex_of_a_dense_mesh():
    img = np.zeros((100, 120, 3), np.uint8)
    x = np.arange(2, 118, 1, dtype=np.float32)
    out = draw_landmarks(img, [np.stack([x, 0 * x + 50, x])], dense_flag=True)
    columns = np.flatnonzero(out[50].max(axis=1))
    np.testing.assert_array_equal(columns, np.arange(2, 118, 6))
    assert not np.delete(out, 50, axis=0).any()
    np.testing.assert_allclose(out[50, 2], 0.8 * np.array(DENSE), atol=1)


def test_dense_mesh_of_a_real_face(picture, faces):
    out = draw_landmarks(picture, faces, dense_flag=True)
    changed = (out != picture).any(axis=2)
    for vertices in faces:
        left, top = vertices[:2].min(axis=1).astype(int) - 2
        right, bottom = vertices[:2].max(axis=1).astype(int) + 3
        assert changed[top:bottom, left:right].mean() > 0.2
        changed[top:bottom, left:right] = False
    assert not changed.any()


def test_inputs_of_any_layout(tmp_path):
    img, points = np.random.default_rng(1).integers(0, 256, (100, 120, 3), np.uint8), circle()
    expected = draw_landmarks(img, [points], wfp=tmp_path / "a.png")
    np.testing.assert_array_equal(imread(tmp_path / "a.png"), expected)
    reversed_twice = np.ascontiguousarray(img[..., ::-1])[..., ::-1]
    for pts in (points, points[:2], [points[:2]], points[None], np.asfortranarray(points)):
        np.testing.assert_array_equal(draw_landmarks(reversed_twice, pts), expected)


def test_wrong_arguments():
    for arguments in [
        (gray(), [circle(n=50)]),
        (gray()[..., 0], [circle()]),
        (gray(), [circle().T]),
        (gray(), [circle()], "plain"),
    ]:
        with pytest.raises(InputError):
            draw_landmarks(*arguments)
    with pytest.raises(InputError, match="dense_flag"):
        draw_landmarks(gray(), [circle(n=500)])


def test_cv_draw_landmark():
    img = gray(0)
    out = cv_draw_landmark(img, [[10.2, 500], [20.4, 3]], box=[30, 40, 50, 60, 0.9], size=0)
    assert out[20, 10].tolist() == [0, 255, 0]
    assert out[40, 35, 1] > 200 and out[50, 30, 1] > 200 and not out[50, 40].any()
    assert not img.any()
    cv_draw_landmark(img, circle(center=(1e9, 0)), box=[-1e30, 0, 1e30, 5])


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.jpg", ".jpg"), ("a.b/c", ""), ("a.b/c.tar.PNG", ".PNG"), ("", ""), (".hidden", "")],
)
def test_get_suffix(name, suffix):
    assert get_suffix(name) == suffix


def test_other_names_of_the_reference():
    assert crop_img(gray(), [0, 0, 10, 20]).shape == (20, 10, 3)
    assert len(parse_roi_box_from_bbox([0, 0, 10, 10])) == 4
    assert len(parse_roi_box_from_landmark(circle())) == 4
    plot_image(gray())
