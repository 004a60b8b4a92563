from dataclasses import replace

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.pose import rotation_to_angles
from training.augmentation.depth_grid import depth_grid
from training.augmentation.profiling import rotation_matrix, turn_picture, turn_to
from training.dataset.batch import CANVAS
from training.dataset.packed import open_packed, pack
from training.labels.pseudo_labels import landmarks
from training.synthesize import Profiler, TurnSettings, angles


def dense(model, labels, i):
    basis = np.concatenate([model.w_shp, model.w_exp], axis=1)
    shape = (model.u.ravel() + basis @ labels.alpha[i]).reshape(-1, 3)
    return shape @ labels.camera[i, :, :3].T + labels.camera[i, :, 3]


@pytest.mark.parametrize("yaw, pitch", [(0, 0), (50, 0), (-85, 10), (5, 30), (0, -36)])
def test_turned_points_are_those_of_the_turned_camera(model, labels, yaw, pitch):
    points = landmarks(labels, model)[0]
    turn = turn_to(points, rotation_matrix(yaw, pitch))
    turned = labels[np.array([0])]
    turned.camera[0] = turn.camera(labels.camera[0])
    found = landmarks(turned, model)[0]
    np.testing.assert_allclose(found, turn.points(points), atol=2e-3)
    low, high = found[:, :2].min(axis=0), found[:, :2].max(axis=0)
    np.testing.assert_allclose((low + high) / 2, CANVAS / 2, atol=1e-2)
    assert np.sqrt(2) * (high - low).max() == pytest.approx(120, abs=1e-2)


def test_picture_moves_with_the_turned_vertices(model, labels):
    """Paint places as colors: a turned vertex that is seen shows the place it came from."""
    image = np.zeros((CANVAS, CANVAS, 3), np.uint8)
    image[:, :, 0] = np.arange(CANVAS)
    image[:, :, 1] = np.arange(CANVAS)[:, None]
    labels = labels[np.array([0])]
    labels.alpha[:] = 0  # the mean face is smooth: it hides nothing of itself
    vertices = dense(model, labels, 0).astype(np.float32)
    turn = turn_to(landmarks(labels, model)[0], rotation_matrix(25, -10))
    turned = turn_picture(image, vertices, model.tri, turn, image)
    moved = turn.points(vertices)
    middle = np.abs(vertices[:, :2] - vertices[:, :2].mean(axis=0)).max(axis=1) < 18
    assert middle.sum() >= 5
    column = np.round(moved[middle, 0] - 0.5).astype(int)
    row = np.round(CANVAS - moved[middle, 1] - 0.5).astype(int)
    seen = turned[row, column].astype(float)
    np.testing.assert_allclose(seen[:, 0], vertices[middle, 0] - 0.5, atol=4)
    np.testing.assert_allclose(seen[:, 1], CANVAS - vertices[middle, 1] - 0.5, atol=4)


def test_no_turn_gives_the_picture_back(model, labels):
    generator = np.random.default_rng(0)
    image = np.repeat(np.repeat(generator.integers(0, 255, (21, 21, 3)), 8, 0), 8, 1)
    image = image.astype(np.uint8)
    points = landmarks(labels, model)[0]
    turn = turn_to(points, np.eye(3))
    still = type(turn)(turn.rotation, turn.center, 1.0, np.zeros(3))
    vertices = dense(model, labels, 0).astype(np.float32)
    found = turn_picture(image, vertices, model.tri, still, 255 - image)
    assert (np.abs(found.astype(int) - image) <= 1).mean() > 0.99


def test_angles_follow_their_definition():
    camera = np.zeros((3, 3, 4))
    for i, (yaw, pitch) in enumerate(((0, 0), (40, 0), (0, 25))):
        camera[i, :, :3] = rotation_matrix(yaw, -pitch)
    yaw, pitch = angles(camera)
    np.testing.assert_allclose(yaw, [0, -40, 0], atol=1e-9)
    np.testing.assert_allclose(pitch, [0, 0, -25], atol=1e-9)
    for i in range(3):
        own = rotation_to_angles(camera[i, :, :3])
        np.testing.assert_allclose([yaw[i], pitch[i], 0], own, atol=1e-9)


def test_profiler_reaches_the_angles_asked_for(packed, model):
    profiler = Profiler(packed, model, TurnSettings(pitched=0.0, yaw_pitch=0.0), 40)
    before, _ = angles(packed.labels.camera[profiler.rows])
    after, pitch = angles(profiler.labels().camera)
    assert (np.abs(after) >= 24.9).all() and np.abs(after).max() <= 90.1
    decided = np.abs(before) > 6
    assert (np.sign(after) == np.sign(before))[decided].all()
    assert np.abs(pitch).max() < 1e-2
    steep = Profiler(packed, model, TurnSettings(pitched=1.0), 40).labels().camera
    assert np.abs(angles(steep)[1]).max() > 25


def test_half_profiles_are_turned_on_and_never_back(packed, model):
    settings = TurnSettings(source_yaw=(8.0, 60.0), yaw=(10.0, 80.0), pitched=0.3)
    profiler = Profiler(packed, model, settings, 60)
    before, _ = angles(packed.labels.camera[profiler.rows])
    assert np.abs(before).min() >= 8
    aside = labels_turned_by(packed, 40)
    more = Profiler(aside, model, replace(settings, source_yaw=(28.0, 60.0)), 40)
    before, _ = angles(aside.labels.camera[more.rows])
    after, _ = angles(more.labels().camera)
    assert np.abs(before).min() >= 28
    assert (np.abs(after) > np.abs(before) - 6).all() and (np.sign(after) == np.sign(before)).all()
    with pytest.raises(InputError, match="yaw of 70 to 90"):
        Profiler(packed, model, replace(settings, source_yaw=(70.0, 90.0)), 5)


def labels_turned_by(packed, yaw):
    camera = packed.labels.camera.copy()
    camera[:, :, :3] = rotation_matrix(yaw, 0) @ camera[:, :, :3]
    return replace(packed, labels=replace(packed.labels, camera=camera.astype(np.float32)))


def test_what_lies_beyond_the_photo_is_another_picture(model, labels):
    image = np.full((CANVAS, CANVAS, 3), 200, np.uint8)
    vertices = dense(model, labels, 0).astype(np.float32)
    turn = turn_to(landmarks(labels, model)[0], rotation_matrix(60, 0))
    filling = np.full_like(image, 10)
    whole = turn_picture(image, vertices, model.tri, turn, filling)
    cut = turn_picture(image, vertices, model.tri, turn, filling, (0, 0, CANVAS, CANVAS))
    narrow = turn_picture(image, vertices, model.tri, turn, filling, (60, 0, CANVAS, CANVAS))
    # The photo goes on as its mirror image, unless its frame is known.
    assert (whole == 200).sum() > (cut == 200).sum() > (narrow == 200).sum() > 0


def test_depth_falls_smoothly_to_a_plane(model, labels):
    vertices = dense(model, labels, 0).astype(np.float32)
    vertices[:, 1] = CANVAS - vertices[:, 1]
    depth = depth_grid(vertices, model.tri, (2, 2), 4, (42, 42))
    assert depth.min() == depth[0, 0] < depth[21, 21] == pytest.approx(depth.max(), abs=15)
    assert depth_grid(vertices + 1e4, model.tri, (2, 2), 4, (42, 42)).any() == np.False_


def test_packing_goes_on_where_it_was_cut_short(packed, labels, model, tmp_path, monkeypatch):
    monkeypatch.setattr("training.dataset.packed.CHUNK", 16)
    calls = []

    def picture(i):
        calls.append(i)
        if i == 40 and calls.count(40) == 1:
            raise KeyboardInterrupt
        return packed.images[i]

    count = range(len(labels.names))
    with pytest.raises(KeyboardInterrupt):
        pack(tmp_path, count, picture, labels, model, detected=True)
    calls.clear()
    calls.append(40)
    pack(tmp_path, count, picture, labels, model, detected=True)
    assert min(calls[1:]) == 32
    whole = open_packed(tmp_path)
    assert (whole.images == packed.images).all() and (whole.depth == packed.depth).all()
    assert not list(tmp_path.glob("*partial*"))
