"""Faces with another expression, drawn from their own picture."""

from dataclasses import replace

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from training.augmentation.expressing import express_picture
from training.dataset.batch import CANVAS
from training.dataset.packed import dense_model, open_packed, pack, place
from training.evaluation.metrics import lid_gap, lip_gap
from training.express import Expresser, ExpressSettings, can_be_moved, main, moved
from training.labels.joint_fit import reach
from training.labels.pseudo_labels import Labels, landmarks
from training.provenance.entry import PICTURE, Entry, read_manifest, write_manifest

STILL = ExpressSettings(shut=0, jaw=0, others=0)
N = 6


@pytest.fixture(scope="module")
def face_model(project_root):
    return load_face_model(project_root / "configs" / "face_model.npz")


def neutral_faces(face_model, n=N):
    """Return labels of the mean face from the front, in the middle of the canvas."""
    camera = np.zeros((n, 3, 4), np.float32)
    size = float(np.ptp(np.asarray(face_model.u).reshape(-1, 3)[face_model.landmark_vertices, 0]))
    camera[:, :, :3] = 60 / size * np.eye(3)
    camera[:, :2, 3] = CANVAS / 2
    alpha = np.zeros((n, face_model.w_shp.shape[1] + face_model.w_exp.shape[1]), np.float32)
    names = np.array([f"set/{i:05d}.png" for i in range(n)])
    return Labels(names, camera, alpha, np.zeros(n, np.float32))


@pytest.fixture(scope="module")
def faces(face_model, tmp_path_factory):
    """Packed faces whose pictures say where each pixel lies."""
    folder = tmp_path_factory.mktemp("ahead")
    places = np.zeros((CANVAS, CANVAS, 3), np.uint8)
    places[:, :, 0], places[:, :, 1] = np.arange(CANVAS), np.arange(CANVAS)[:, None]
    places[:, :, 2] = 128
    labels = neutral_faces(face_model)
    pack(folder, range(N), lambda i: places, labels, face_model, detected=True)
    write_manifest(folder, [Entry(PICTURE, "a.png", "CC0", "me", "here", "a.png", "1")])
    return folder


def meshes(face_model, **expression):
    """Return the mean face and the same with an expression, on the canvas."""
    labels, (mean, basis) = neutral_faces(face_model), dense_model(face_model)
    after = labels.alpha[0].copy()
    for name, value in expression.items():
        after[face_model.w_shp.shape[1] + face_model.exp_names.index(name)] = value
    return [place(mean, basis, alpha, labels.camera[0]) for alpha in (labels.alpha[0], after)]


def places():
    y, x = np.indices((CANVAS, CANVAS))
    return np.stack([x, y, np.full_like(x, 128)], axis=2).astype(np.uint8)


def draw(face_model, image, before, after, **more):
    tri = np.asarray(face_model.tri, np.int32)
    return express_picture(image, before, after, tri, face_model.tri.inside, **more)


def test_the_same_expression_gives_the_picture_back(face_model):
    before, after = meshes(face_model)
    image = places()
    found = draw(face_model, image, before, after).astype(int)
    assert (np.abs(found - image).max(axis=2) <= 1).mean() > 0.999


@pytest.mark.parametrize("expression", [{"jaw_open": 3.0}, {"smile": 2.0}, {"brows_up": 4.0}])
def test_what_moved_shows_where_it_came_from(face_model, expression):
    before, after = meshes(face_model, **expression)
    found = draw(face_model, places(), before, after).astype(float)
    skin = [face_model.regions[name] for name in ("nose", "chin", "forehead", "left_cheek")]
    rows = np.concatenate(skin)
    column = np.round(after[rows, 0] - 0.5).astype(int)
    row = np.round(CANVAS - after[rows, 1] - 0.5).astype(int)
    seen = found[row, column]
    came_from = np.column_stack([before[rows, 0] - 0.5, CANVAS - before[rows, 1] - 0.5])
    wrong = np.abs(seen[:, :2] - came_from).max(axis=1) > 3
    assert np.abs(after - before).max() > 2 and wrong.mean() < 0.05  # some are hidden


def test_the_picture_beyond_the_face_stays(face_model):
    before, after = meshes(face_model, jaw_open=4.0)
    found = draw(face_model, places(), before, after)
    left = int(min(before[:, 0].min(), after[:, 0].min())) - 2
    assert (found[:, :left] == places()[:, :left]).all() and left > 10


@pytest.mark.parametrize("color", [(128, 128, 128), (90, 120, 190)])
def test_an_open_mouth_is_dark_in_the_pictures_own_color(face_model, color):
    before, after = meshes(face_model, jaw_open=4.0)
    image = np.full((CANVAS, CANVAS, 3), color, np.uint8)
    found = draw(face_model, image, before, after).astype(float)
    lips = after[face_model.landmark_vertices[[62, 66]], :2].mean(axis=0)
    middle = found[round(CANVAS - lips[1] - 0.5), round(lips[0] - 0.5)]
    assert middle.max() < 0.4 * max(color)
    assert np.ptp(middle) < 3 or color[0] != color[2]
    with_teeth = draw(face_model, image, before, after, teeth=0.4).astype(float)
    assert (with_teeth - found).max() > 40
    as_it_was = draw(face_model, image, before, after, teeth=None)
    assert (as_it_was == image).all()


def test_drawn_expressions_stay_within_the_bounds_of_labels(face_model):
    generator, start = np.random.default_rng(0), face_model.w_shp.shape[1]
    low, high = reach(face_model.exp_range, face_model.exp_names).T
    alpha = neutral_faces(face_model).alpha[0]
    drawn = [moved(alpha, face_model, ExpressSettings(), generator) for _ in range(50)]
    for value in drawn:
        assert (value[:start] == alpha[:start]).all()
        assert (value[start:] >= low - 1e-5).all() and (value[start:] <= high + 1e-5).all()
    assert len({value.tobytes() for value in drawn}) == 50
    jaw = face_model.exp_names.index("jaw_open")
    assert max(value[start + jaw] for value in drawn) > face_model.exp_range[jaw, 1]
    assert (moved(alpha, face_model, STILL, generator) == alpha).all()


def test_a_model_without_names_is_refused(model):
    with pytest.raises(InputError, match="blink_left"):
        moved(np.zeros(12, np.float32), model, STILL, np.random.default_rng(0))


def test_only_calm_faces_from_the_front_are_moved(face_model, faces):
    packed = open_packed(faces)
    assert can_be_moved(packed, face_model).all()
    start = face_model.w_shp.shape[1]
    labels = replace(
        packed.labels, alpha=packed.labels.alpha.copy(), camera=packed.labels.camera.copy()
    )
    labels.alpha[0, start + face_model.exp_names.index("jaw_open")] = 4
    labels.alpha[1, start + face_model.exp_names.index("blink_left")] = 4
    turn = np.array([[0.5, 0, 0.87], [0, 1, 0], [-0.87, 0, 0.5]])
    labels.camera[2, :, :3] = labels.camera[2, :, :3] @ turn
    found = can_be_moved(replace(packed, labels=labels), face_model)
    assert found.tolist() == [False, False, False, True, True, True]
    gone = replace(packed, labels=replace(labels, residual=np.full(N, np.inf, np.float32)))
    with pytest.raises(InputError, match="mouth shut"):
        Expresser(gone, face_model, ExpressSettings(), 2)


def test_a_set_has_shut_eyes_open_mouths_new_names_and_the_same_faces_held_out(
    face_model, faces, tmp_path, project_root
):
    out = tmp_path / "out"
    words = [str(faces), "--out", str(out), "--count", "20", "--seed", "3"]
    assert main([*words, "--face-model", str(project_root / "configs/face_model.npz")]) == 0
    packed, source = open_packed(out), open_packed(faces)
    assert len(packed) == 20 and packed.detected == source.detected
    points = landmarks(packed.labels, face_model).transpose(0, 2, 1)
    assert (lid_gap(points).min(axis=1) < 0.1).any() and (lip_gap(points) > 0.4).any()
    names = packed.labels.names.tolist()
    assert len(set(names)) == 20 and not set(names) & set(source.labels.names.tolist())
    held = dict(zip(source.labels.names.tolist(), source.held_out.tolist(), strict=True))
    assert packed.held_out.tolist() == [held[name.split("/", 2)[2]] for name in names]
    assert read_manifest(out) == read_manifest(faces)
