"""Crops against examples computed by hand from the papers' rules."""

import math

import numpy as np
import pytest

from tddfa.face import Face
from tddfa.label.crop_geometry import EG3D_FOCAL, EG3D_RADIUS, Quad, cut_out, eg3d_crop, ffhq_quad


def landmarks(eyes=2.0, mouth=2.0, angle=0.0, at=(0.0, 0.0)):
    """Eyes `eyes` apart around `at`, a mouth `mouth` below, all turned by `angle` degrees."""
    points = np.zeros((2, 68))
    points[0, 36:42], points[0, 42:48] = -eyes / 2, eyes / 2
    points[1, [48, 54]] = mouth
    points[0, 48], points[0, 54] = -0.4, 0.4
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return np.array([[c, -s], [s, c]]) @ points + np.array(at)[:, None]


@pytest.mark.parametrize(
    ("eyes", "mouth", "half"),
    [(2, 2, 4.0), (2, 3, 5.4), (3, 1, 6.0)],  # 2·2; 1.8·3; 2·3
)
def test_ffhq_by_hand(eyes, mouth, half):
    corners = ffhq_quad(landmarks(eyes, mouth)).corners
    middle = 0.1 * mouth
    expected = [[-half, middle - half], [-half, middle + half], [half, middle + half]]
    np.testing.assert_allclose(corners[:3], expected, atol=1e-12)


@pytest.mark.parametrize("angle", [15, 90, -140, 180])
def test_ffhq_turns_with_the_face(angle):
    upright = ffhq_quad(landmarks(at=(7, 9))).corners - (7, 9)
    turned = ffhq_quad(landmarks(angle=angle, at=(7, 9))).corners - (7, 9)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    np.testing.assert_allclose(turned, upright @ np.array([[c, s], [-s, c]]), atol=1e-9)


def test_ffhq_of_points_that_coincide():
    assert np.isfinite(ffhq_quad(np.zeros((2, 68))).corners).all()


class Model:
    """Eyes 80 wide around (0, 10, 40): EG3D's origin is 0.379·80 lower and 0.910·80 behind."""

    landmark_vertices = np.arange(68)
    points = np.zeros((68, 3))
    points[36:48] = (0, 10, 40)
    points[36, 0], points[45, 0] = -40, 40
    u = points.reshape(-1, 1)


class Reconstructor:
    model = Model()


def face(rotation, scale=0.5, offset=(60.0, 62.0), roi=(100, 50, 340, 290)):
    param = np.zeros(62, np.float32)
    param[:12] = np.c_[scale * np.asarray(rotation), [*offset, 0]].ravel()
    points = np.zeros((3, 68), np.float32)
    return Face(0.9, list(map(float, roi)), param, points, reconstructor=Reconstructor())


def test_eg3d_of_a_frontal_face_by_hand():
    crop = eg3d_crop(face(np.eye(3)))
    # The label that every frontal picture of that data set has.
    expected = [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 2.7, 0, 0, 0, 1]
    np.testing.assert_allclose(crop.camera[:16], expected, atol=1e-6)
    np.testing.assert_allclose(crop.camera[16:], [4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1])
    # x: (60 - 1)·2 + 100; y: the origin lies 10 - 0.379·80 = -20.32 up, times 0.5, plus 62.
    x, y = (60 - 1) * 2 + 100 + 0.5, (120 - (62 + 0.5 * (10 - 0.379 * 80))) * 2 + 50 + 0.5
    # 2.7 / 4.2647 units of 370.4/86.3·80, each half a crop's pixel, which is two of the picture.
    side = 2.7 / 4.2647 * (370.4 / 86.3 * 80) * 0.5 * 2
    np.testing.assert_allclose(crop.quad.corners.mean(axis=0), [x, y], atol=1e-4)
    assert crop.quad.side == pytest.approx(side, rel=1e-6)


def test_eg3d_camera_sees_the_origin_in_the_middle_and_the_pose():
    yaw = math.radians(30)  # about the y axis: the face looks to the picture's right
    rotation = [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]
    camera = eg3d_crop(face(rotation)).camera
    to_world = camera[:16].reshape(4, 4)
    to_camera = np.linalg.inv(to_world)
    np.testing.assert_allclose(to_camera @ [0, 0, 0, 1], [0, 0, EG3D_RADIUS, 1], atol=1e-6)
    # A point before the face appears right of the middle, at a focal length's distance.
    x, y, z, _ = to_camera @ [0, 0, 1, 1]
    assert x / z * EG3D_FOCAL > 0.5 and y == pytest.approx(0, abs=1e-6) and z < EG3D_RADIUS


def test_cut_out_takes_the_right_pixels():
    column = np.arange(60) * 4
    image = np.repeat(np.tile(column.astype(np.uint8), (40, 1))[:, :, None], 3, axis=2)
    quad = Quad(np.array([[30.0, 10], [30, 20], [40, 20], [40, 10]]))
    out = cut_out(image, quad, 20).astype(float)
    # The first pixel of twenty reaches from 30 to 30.5: its center is 29.75 in whole centers.
    expected = 4 * (30 + (np.arange(20) + 0.5) / 2 - 0.5)
    np.testing.assert_allclose(out[5, :, 0], expected, atol=1)


@pytest.mark.parametrize("scale", [1, 3, 9])
def test_cut_out_of_a_large_face_is_smooth(scale):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (90 * scale, 90 * scale, 3), np.uint8)
    side = 90.0 * scale
    out = cut_out(image, Quad(np.array([[0, 0], [0, side], [side, side], [side, 0.0]])), 30)
    # Noise that is averaged, not sampled: its deviation falls with the pixels behind each.
    assert out.std() < 74 / (2.2 * scale)


def test_cut_out_beyond_the_picture():
    image = np.full((10, 10, 3), 77, np.uint8)
    quad = Quad(np.array([[-30.0, -30], [-30, 40], [40, 40], [40, -30]]))
    assert (cut_out(image, quad, 16) == 77).all()
