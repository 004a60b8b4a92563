from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tddfa.errors import InputError
from tddfa.face_check.looks import Looks
from tddfa.face_check.network import FaceCheckNet, load_network
from tddfa.upright import in_plane_roll
from training.dataset.split import is_held_out_picture
from training.detector.sources import BoxedPictures
from training.face_check import calibrate, candidates, samples, squares, train
from training.face_check.settings import CheckTrainSettings, SampleSettings
from training.face_check.sources import Patches, Sources, is_validation, open_sources
from training.regressor.logbook import read_log

TRAINED = [f"p{i}.png" for i in range(60) if not is_held_out_picture(f"p{i}.png")]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Candidates of gray pictures with a bright square for a face."""
    folder = tmp_path_factory.mktemp("pictures")
    names = [f"q{i}x.png" for i in range(24)]
    image = np.full((200, 240, 3), 80, np.uint8)
    image[40:110, 60:113] = 220
    for name in names:
        cv2.imwrite(str(folder / name), image)
    face = np.array([[60, 40, 113, 110]], np.float32)
    none = np.zeros((0, 4), np.float32)
    known = BoxedPictures(names, [face] * len(names), [none] * len(names))

    def detector(picture):
        return np.array(
            [[61, 42, 115, 112, 0.9], [150, 120, 200, 180, 0.3], [80, 55, 133, 125, 0.5]],
            np.float32,
        )

    return candidates.find_candidates(folder, known, [detector], {})


def test_candidates_are_faces_others_or_left_out(found):
    assert not any(is_held_out_picture(name) for name in found.names)
    reported = found.score > 0
    assert found.face[found.score > 0.8].all() and not found.face[np.isnan(found.score)].any()
    assert not (np.abs(found.score - 0.5) < 0.01).any()  # neither one nor the other
    assert (~found.face[reported]).any()
    x, y, side = found.squares[found.face][0]
    assert abs(x - 84) < 6 and abs(y - 84) < 8 and side == pytest.approx(120, rel=0.06)


def test_candidates_survive_the_file(found, tmp_path):
    candidates.save_candidates(tmp_path / "c.npz", found)
    again = candidates.load_candidates(tmp_path / "c.npz")
    assert (again.images == found.images).all() and (again.names == found.names).all()
    with pytest.raises(InputError, match="candidates"):
        candidates.load_candidates(Path(__file__))


def test_squares_and_rolls_agree_with_the_product(model, labels):
    params = np.zeros((len(labels.names), 62), np.float32)
    params[:, :12] = labels.camera.reshape(-1, 12)
    np.testing.assert_allclose(
        squares.camera_rolls(labels.camera), in_plane_roll(params), atol=1e-3
    )
    points = np.array([[[50.0, 100, 0], [90, 60, 0]]])
    ((x, y, side),) = squares.landmark_squares(points)
    assert x == pytest.approx(70) and y == pytest.approx(168 - 80, abs=0.5)
    assert side == pytest.approx(40 * 2**0.5 * 1.22, rel=1e-5)


def marked_patch():
    """A face whose top is white and bottom black, upright, its ROI 100 px around (90, 80)."""
    image = np.full((1, 168, 168, 3), 128, np.uint8)
    image[:, 40:80, 60:120], image[:, 80:120, 60:120] = 250, 5
    return Patches(image, np.array([0]), np.array([[90, 80, 100]], np.float32), np.zeros(1))


def sources():
    noise = np.random.default_rng(0).integers(0, 255, (4, 168, 168, 3)).astype(np.uint8)
    rows, unknown = np.arange(4), np.full(4, np.nan, np.float32)
    empty = Patches(noise, rows, np.tile(np.float32([84, 84, 120]), (4, 1)), unknown)
    return Sources([marked_patch()], np.ones(1), [], [empty], [empty])


PLAIN = SampleSettings(background=0.0, found=0.0)


def test_answers_say_where_and_how_the_face_lies():
    drawn = samples.Samples(sources(), PLAIN, 64, range(2), 0)
    crops, face, answers = drawn[0]
    assert crops.shape == (64, 3, 60, 60) and torch.isfinite(answers[face == 1]).all()
    assert torch.isnan(answers[face == 0]).all()
    full = np.column_stack([np.zeros(64), answers.numpy()]).astype(np.float32)
    looks, wrong, count = Looks.of(full), 0, 0
    for crop, is_face, roll, (x, y, side) in zip(
        crops.numpy(), face.numpy(), looks.roll, looks.squares, strict=True
    ):
        if not is_face:
            continue
        up = np.array([-np.sin(np.radians(roll)), -np.cos(np.radians(roll))]) * 0.2 * side
        places = [np.array([x, y]) + way * up for way in (1, -1)]
        top, bottom = (crop[:, *np.clip((p * 60).astype(int), 0, 59)[::-1]].mean() for p in places)
        count += 1
        wrong += top <= bottom
    assert count > 15 and wrong <= 0.1 * count  # low contrast and blur may hide a few


def test_batches_are_the_same_for_the_same_number():
    first = samples.Samples(sources(), SampleSettings(), 8, range(5), 3)
    again = samples.Samples(sources(), SampleSettings(), 8, range(3, 5), 3)
    assert all(
        torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(first[3], again[0], strict=True)
    )


def test_loss_is_least_for_the_right_answers():
    wanted = torch.tensor([[1.0, 0, 0.1, 0, -0.2], [float("nan")] * 5])
    right = torch.tensor([[9.0, 1, 0, 0.1, 0, -0.2], [-9.0, 3, 3, 3, 3, 3]])
    face = torch.tensor([1.0, 0])
    assert float(train.loss(right, face, wanted)[0]) < 1e-3
    assert float(train.loss(-right, face, wanted)[0]) > 5
    nothing = torch.full((2, 5), float("nan"))
    assert torch.isfinite(train.loss(right, torch.zeros(2), nothing)[0])


def test_a_run_learns_goes_on_and_can_be_calibrated(found, packed_folder, model_file, tmp_path):
    candidates.save_candidates(tmp_path / "c.npz", found)
    common = {
        "crops": (packed_folder,),
        "face_model": str(model_file),
        "candidates": (tmp_path / "c.npz",),
        "out": tmp_path / "run",
        "batch_size": 16,
        "workers": 0,
        "log_every": 2,
        "save_every": 2,
    }
    train.train(CheckTrainSettings(samples=64, **common))
    first = load_network(tmp_path / "run" / "weights.pth").state_dict()
    train.train(CheckTrainSettings(samples=96, critic=tmp_path / "run" / "weights.pth", **common))
    second = load_network(tmp_path / "run" / "weights.pth").state_dict()
    assert not torch.equal(first["answer.weight"], second["answer.weight"])
    rows = read_log(tmp_path / "run" / "log.csv")
    assert [row["step"] for row in rows] == [2, 4, 6]
    target = tmp_path / "check.pth"
    assert any(is_validation(name) for name in found.names)
    calibrate.main(
        [
            str(tmp_path / "run" / "weights.pth"),
            "--candidates",
            str(tmp_path / "c.npz"),
            "--out",
            str(target),
        ]
    )
    load_network(target)


def test_regression_finds_gain_weight_and_bias():
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(20_000, 2)) * 2
    truth = 1.6 * logits[:, 0] + 0.4 * logits[:, 1] - 0.7
    faces = generator.random(20_000) < 1 / (1 + np.exp(-truth))
    assert calibrate.fit(logits, faces) == pytest.approx((1.6, 0.4, -0.7), abs=0.08)


def test_folding_changes_the_logit_alone():
    network, crops = FaceCheckNet().eval(), torch.randn(2, 3, 120, 120)
    with torch.inference_mode():
        before = network(crops)
        after = calibrate.folded(network, 2.0, 0.5)(crops)
    torch.testing.assert_close(after[:, 0], 2 * before[:, 0] + 0.5)
    torch.testing.assert_close(after[:, 1:], before[:, 1:])


@pytest.mark.parametrize("kept", ["nothing found", "nothing reported"])
def test_places_of_one_kind_alone_are_enough(found, packed_folder, model_file, tmp_path, kept):
    rows = ~found.face if kept == "nothing found" else np.isnan(found.score)
    part = [getattr(found, field.name)[rows] for field in fields(found)]
    candidates.save_candidates(tmp_path / "c.npz", candidates.Candidates(*part))
    opened = open_sources([packed_folder], [tmp_path / "c.npz"], face_model=str(model_file))
    assert not opened.found and bool(opened.decoys) == (kept == "nothing found")
    _, face, _ = samples.Samples(opened, SampleSettings(), 32, range(1), 3)[0]
    assert 0 < face.sum() < 32


def test_shares_must_fit_the_sets():
    with pytest.raises(InputError, match="--shares"):
        CheckTrainSettings((Path("a"), Path("b")), (), Path(), shares=(1.0,))
