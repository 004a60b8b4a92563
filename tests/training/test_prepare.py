import json
import shutil

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.landmark_basis import DEFAULT_MODEL as FACE_MODEL
from tddfa.landmark_basis import load_landmark_basis
from tddfa.model_files import load_face_model
from training import mediapipe_points as points
from training import prepare
from training.dataset import shards
from training.dataset.crops import cut_faces
from training.dataset.packed import open_packed, relabel, valid_box
from training.labels.consensus import fit_alone
from training.labels.pseudo_labels import (
    Labels,
    disagreement,
    landmarks,
    load_labels,
    save_labels,
    trusted,
)
from training.mediapipe_points import N_POINTS, FacePoints
from training.teacher_landmarks import SecondOpinion


@pytest.fixture(scope="module")
def found() -> FacePoints:
    """Points of three faces made by the shipped model, and a crop without a face."""
    basis = load_landmark_basis()
    faces = np.full((4, N_POINTS, 3), np.nan, np.float32)
    for i, angle in enumerate((-0.3, 0.0, 0.3)):
        turn = np.array(
            [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
        )
        faces[i, :, :] = 0
        flat = (basis.mean @ turn.T)[:, :2] * [1, -1]
        size = np.ptp(flat, axis=0).max()
        faces[i, :468, :2] = (flat - flat.mean(axis=0)) * 85 / size + 84
    return FacePoints(np.array([f"a/{i}.webp" for i in range(4)]), faces)


def test_labels_put_the_mesh_on_the_points(found):
    labels = fit_alone(found, load_face_model(FACE_MODEL))
    assert labels.names.tolist() == ["a/0.webp", "a/1.webp", "a/2.webp"]
    assert labels.residual.max() < 0.5
    basis = load_landmark_basis()
    shape = basis.mean + np.einsum("kic,nc->nki", basis.components, labels.alpha)
    placed = np.einsum("nij,nkj->nki", labels.camera[:, :, :3], shape)
    placed = placed + labels.camera[:, None, :, 3]
    expected = found.points[:3, :468, :2].copy()
    expected[:, :, 1] = 168 - expected[:, :, 1]
    np.testing.assert_allclose(placed[:, :, :2], expected, atol=0.6)


def test_labels_that_another_network_contradicts_are_dropped(model, labels):
    seen = landmarks(labels, model)[:, :, :2].copy()
    seen[1] += 25
    seen[:, :, 1] = 168 - seen[:, :, 1]
    order = np.arange(len(labels.names))[::-1][:-1]  # another order, and one is missing
    second = SecondOpinion(labels.names[order], (seen[order] - 0.5).transpose(0, 2, 1))
    away = disagreement(labels, model, second)
    assert np.isnan(away[0]) and away[1] > 20 and np.nanmedian(away) < 0.01
    keep = trusted(labels, model, second)
    assert keep[0] and not keep[1] and keep[2:].all()


def test_bad_fits_are_dropped(model, labels):
    residual = labels.residual.copy()
    residual[3] = 9
    doubtful = Labels(labels.names, labels.camera, labels.alpha, residual)
    assert np.flatnonzero(~trusted(doubtful, model)).tolist() == [3]


def test_labels_survive_the_disk(labels, tmp_path):
    save_labels(tmp_path / "labels.npz", labels)
    back = load_labels(tmp_path / "labels.npz")
    assert (back.camera == labels.camera).all() and (back.names == labels.names).all()
    with pytest.raises(InputError, match="labels"):
        load_labels(tmp_path / "other.npz")


def test_old_labels_weigh_one(labels, tmp_path):
    old = {key: value for key, value in vars(labels).items() if key != "weight"}
    np.savez(tmp_path / "old.npz", **old)
    assert (load_labels(tmp_path / "old.npz").weight == 1).all()
    some = labels[np.array([3, 1])]
    assert some.weight.shape == (2,) and some.names[0] == labels.names[3]


def write_crops(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((168, 168, 3), 90, np.uint8))


def test_crops_with_points_are_packed(found, tmp_path):
    write_crops(tmp_path / "crops", [*found.names.tolist(), "b/without.webp"])
    (tmp_path / "points").mkdir()
    np.savez(tmp_path / "points/points_00_0000.npz", names=found.names, points=found.points)
    out = tmp_path / "out"
    arguments = [str(tmp_path / "crops"), "--crops", "--out", str(out), "--keep-points"]
    assert prepare.main([*arguments, "--points", str(tmp_path / "points")]) == 0
    packed = open_packed(out)
    assert packed.labels.names.tolist() == found.names[:3].tolist()
    assert packed.detected and (packed.images == 90).all()


def test_crops_without_any_face_are_an_error_of_one_line(found, tmp_path):
    write_crops(tmp_path / "crops", found.names.tolist())
    (tmp_path / "points").mkdir()
    nothing = np.full_like(found.points, np.nan)
    np.savez(tmp_path / "points/points_00_0000.npz", names=found.names, points=nothing)
    arguments = [str(tmp_path / "crops"), "--crops", "--out", str(tmp_path / "out")]
    with pytest.raises(InputError, match="at least one face with a good label"):
        prepare.main([*arguments, "--keep-points", "--points", str(tmp_path / "points")])


def test_relabeling_keeps_pictures_and_drops_what_became_doubtful(packed_folder, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(packed_folder, folder)
    before = open_packed(folder)
    order = np.arange(len(before))[::-1]
    labels = Labels(
        before.labels.names[order], before.labels.camera[order] + 1, before.labels.alpha[order],
        before.labels.residual[order],
    )  # fmt: skip
    good = np.ones(len(before), bool)
    good[0] = False
    assert relabel(folder, labels, good) == len(before) - 1
    after = open_packed(folder)
    np.testing.assert_allclose(after.labels.camera, before.labels.camera + 1)
    assert np.flatnonzero(~after.usable).tolist() == [len(before) - 1]
    assert (after.images == before.images).all()
    with pytest.raises(InputError, match="expected a label"):
        relabel(folder, labels[order[:3]], good[:3])


def test_points_are_found_once_and_shared_out(tmp_path, monkeypatch):
    names = [f"{i}.png" for i in range(7)]
    write_crops(tmp_path / "crops", names)
    looked = []

    class Mesh:
        def __call__(self, crop):
            looked.append(1)
            return np.zeros((N_POINTS, 3), np.float32)

    monkeypatch.setattr(points, "TwoPassMesh", Mesh)
    monkeypatch.setattr(shards, "SHARD", 3)
    out = tmp_path / "points"
    assert points.find_points(tmp_path / "crops", out, 0, 2) == 4
    assert points.find_points(tmp_path / "crops", out) == 3
    assert points.find_points(tmp_path / "crops", out) == 0
    assert len(looked) == 7
    assert sorted(points.load_points(out).names.tolist()) == names


def test_what_a_killed_run_left_is_no_picture(tmp_path):
    write_crops(tmp_path, ["a/1.png", ".hidden.png", "a/.2.png"])
    assert points.list_pictures(tmp_path) == ["a/1.png"]


@pytest.mark.parametrize(("most", "names"), [("10", ["a/1.webp"]), ("25", None)])
def test_faces_that_look_too_far_aside_are_left_out(found, tmp_path, most, names):
    write_crops(tmp_path / "crops", found.names.tolist())
    (tmp_path / "points").mkdir()
    np.savez(tmp_path / "points/points_00_0000.npz", names=found.names, points=found.points)
    out = tmp_path / "out"
    arguments = [str(tmp_path / "crops"), "--crops", "--out", str(out), "--keep-points"]
    arguments += ["--points", str(tmp_path / "points"), "--most-yaw", most]
    assert prepare.main(arguments) == 0
    assert open_packed(out).labels.names.tolist() == (names or found.names[:3].tolist())
    report = json.loads((out / "report.json").read_text())
    assert (report["doubtful"], report["too far aside"]) == (0, 2 if names else 0)
    assert prepare.main([*arguments, "--relabel"]) == 0  # what is packed stays, marked
    assert open_packed(out).usable.all()


@pytest.mark.parametrize("most", ["0", "-3", "nan", "181"])
def test_a_limit_of_yaw_that_is_none_is_named(tmp_path, most):
    with pytest.raises(InputError, match="--most-yaw"):
        prepare.main([str(tmp_path), "--out", str(tmp_path / "o"), "--most-yaw", most])


@pytest.mark.parametrize("part", ["2/2", "x", "1", "-1/2"])
def test_wrong_part_is_named(tmp_path, part):
    with pytest.raises(InputError, match="--part"):
        points.main([str(tmp_path), "--out", str(tmp_path), f"--part={part}"])


def test_faces_are_cut_out_with_their_margin(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[100:200, 150:250] = 255
    cv2.imwrite(str(photos / "one.png"), picture)
    boxes = np.array([[150, 100, 250, 200, 0.9], [0, 0, 9, 9, 0.8]], np.float32)
    calls = []

    def detector(image):
        calls.append(image.shape)
        return boxes

    out = tmp_path / "crops"
    assert cut_faces(photos, out, detector) == 1  # the other face is too small
    assert cut_faces(photos, out, detector) == 1 and len(calls) == 1
    crop = cv2.imread(str(out / "one_0.webp"))
    assert crop.shape == (168, 168, 3)
    # The box is 1 / (1.58 · 1.4) of the crop's side; the ROI lies 0.14 of the box below it.
    bright = np.flatnonzero(crop[84, :, 0] > 127)
    assert len(bright) == pytest.approx(168 / 1.58 / 1.4, abs=1.5)
    rows = np.flatnonzero(crop[:, 84, 0] > 127)
    assert rows.mean() + 0.5 == pytest.approx(84 - 0.14 * 168 / 1.58 / 1.4, abs=1)


def test_only_chosen_photos_are_cut(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("one.png", "two.png"):
        cv2.imwrite(str(photos / name), np.zeros((300, 400, 3), np.uint8))
    boxes = np.array([[150, 100, 250, 200, 0.9]], np.float32)
    out = tmp_path / "crops"
    assert cut_faces(photos, out, lambda image: boxes, lambda name: name == "two.png") == 1
    assert [path.name for path in out.glob("*.webp")] == ["two_0.webp"]


def test_held_out_photos_are_left_out():
    chosen = [prepare.may_be_trained_on(f"photo_{i}_1.webp") for i in range(300)]
    assert 150 < sum(chosen) < 250
    # Both faces of one photo fall on the same side.
    assert chosen == [prepare.may_be_trained_on(f"photo_{i}_2.webp") for i in range(300)]


@pytest.mark.parametrize(
    "flags, named", [(["--fuse"], "--second-opinion"), (["--annotated", "a.csv"], "--fuse")]
)
def test_flags_that_need_each_other_are_named(tmp_path, flags, named):
    arguments = [str(tmp_path), "--crops", "--out", str(tmp_path / "out"), *flags]
    with pytest.raises(InputError, match=f"expected {named}"):
        prepare.main(arguments)


def test_black_border_is_measured():
    image = np.zeros((168, 168, 3), np.uint8)
    assert valid_box(image) == (0, 0, 168, 168)
    image[20:100, 30:168] = 50
    assert valid_box(image) == (30, 20, 168, 100)
