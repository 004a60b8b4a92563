from dataclasses import replace

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.roi import parse_roi_box_from_bbox
from training.augmentation.profiling import rotation_matrix
from training.dataset.split import is_held_out_crop, is_held_out_picture
from training.detector import boxes, evaluate, trials
from training.detector.picture import NONE, Picture
from training.labels.pseudo_labels import Labels

NOTHING = np.zeros((0, 5), np.float32)


def box(score, shift=0):
    return np.array([[10 + shift, 10, 50 + shift, 60, score]], np.float32)


@pytest.mark.parametrize(
    ("found", "score"),
    [(NOTHING, 0), (box(0.6), 0.6), (box(0.9, 60), 0), (np.vstack([box(0.5, 3), box(0.7)]), 0.7)],
)
def test_score_of_a_face_is_that_of_the_best_box_on_it(found, score):
    assert trials.score_of(box(1)[0, :4], found) == pytest.approx(score)


def test_rates_count_found_and_clear_faces_of_each_condition():
    images = [np.full((4, 4, 3), value, np.uint8) for value in (0, 1, 2)]
    shown = [trials.Trial("a", images[i], box(1)[:, :4]) for i in (0, 1)]
    shown.append(trials.Trial("b", images[2], box(1)[:, :4]))

    def detector(image):
        return [NOTHING, box(0.7), box(0.95)][image[0, 0, 0]]

    first, second = trials.rates(shown, detector, lambda image: box(0.81))
    assert (first.condition, first.faces, first.found, first.clear) == ("a", 2, 0.5, 0)
    assert first.reference_found == first.reference_clear == 1
    assert second.pairs() == ((1, 1), (1, 1))
    assert trials.rates([], detector, detector) == []


@pytest.mark.parametrize("degrees", [0, 90, 180, 37])
def test_rolled_pictures_hold_everything(degrees):
    image = np.zeros((60, 90, 3), np.uint8)
    image[20:30, 60:70] = 255
    face = boxes.box_of_roi([50, 10, 80, 40])[None]
    rolled = trials.roll_whole(Picture(image, face, NONE), degrees)
    white = rolled.image[:, :, 0] > 190
    assert white.sum() == pytest.approx(100, abs=20)
    seen = np.argwhere(white).mean(axis=0)[::-1]
    left, top, right, bottom = parse_roi_box_from_bbox(rolled.faces[0])
    np.testing.assert_allclose(seen, [(left + right) / 2, (top + bottom) / 2], atol=1)
    if degrees in (0, 180):
        assert rolled.image.shape == (90, 90, 3)


def circle(radius):
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return np.stack([130 + radius * np.cos(angle), 120 + radius * np.sin(angle)], axis=1)


@pytest.fixture
def scenes(tmp_path):
    """Twelve photos with a large and a small face."""
    (tmp_path / "images").mkdir()
    lines = [",".join(["file"] + [f"{axis}{k}" for k in range(68) for axis in "xy"])]
    for i in range(12):
        cv2.imwrite(str(tmp_path / f"images/p{i}x.png"), np.full((200, 260, 3), 90, np.uint8))
        for radius in (60, 15):
            row = [f"{value:.2f}" for value in circle(radius).ravel()]
            lines.append(",".join([f"p{i}x.png", *row]))
    (tmp_path / "landmarks68.csv").write_text("\n".join(lines))
    return tmp_path


def test_scenes_are_shown_at_all_rolls_with_their_large_faces(scenes):
    shown = list(trials.rolled_scenes(scenes))
    held = [i for i in range(12) if is_held_out_picture(f"p{i}x.png")]
    assert len(shown) == len(trials.ROLLS) * len(held)
    assert all(trial.faces.shape == (1, 4) for trial in shown)
    assert {trial.condition for trial in shown} == {f"rolled {r:.0f}" for r in trials.ROLLS}
    assert len(list(trials.rolled_scenes(scenes, 1))) == len(trials.ROLLS)


def labels(yaw, names=None):
    camera = np.zeros((len(yaw), 3, 4), np.float32)
    camera[:, :, :3] = [rotation_matrix(degrees, 0) for degrees in yaw]
    names = [f"them/{number:05d}.png" for number in range(0, 20 * len(yaw), 20)]
    none = np.zeros((len(yaw), 50), np.float32)
    return Labels(np.array(names), camera, none, none[:, 0])


def test_profiles_are_held_out_ones_that_two_opinions_agree_on(tmp_path):
    (tmp_path / "them").mkdir()
    first = labels([-50.0] * 40 + [80.0] * 40)
    second = labels([-55.0] * 40 + [40.0] * 20 + [84.0] * 20)
    for name in first.names.tolist():
        cv2.imwrite(str(tmp_path / name), np.full((168, 168, 3), 60, np.uint8))
    shown = list(trials.profile_trials(tmp_path, first, second, 3))
    held = [is_held_out_crop(name, 3) for name in first.names.tolist()]
    assert [t.condition for t in shown].count("profiles 45-60") == sum(held[:40]) > 0
    assert [t.condition for t in shown].count("profiles 75-90") == sum(held[60:]) > 0
    assert len(shown) == sum(held[:40]) + sum(held[60:])
    roi = parse_roi_box_from_bbox(shown[0].faces[0])
    np.testing.assert_allclose(roi, [48, 48, 288, 288], atol=1)
    few = trials.profile_trials(tmp_path, first, second, 3, most=2)
    assert sum(trial.condition == "profiles 45-60" for trial in few) == 2
    with pytest.raises(InputError, match="same crops"):
        list(trials.profile_trials(tmp_path, first, labels([0.0]), 3))


def test_turned_faces_are_shown_by_yaw_on_empty_pictures(packed, scenes, monkeypatch, tmp_path):
    camera = packed.labels.camera.copy()
    camera[:, :, :3] = rotation_matrix(70, 0)
    held = np.arange(len(packed)) < 3
    turned = replace(
        packed, labels=replace(packed.labels, camera=camera), detected=False, held_out=held
    )
    monkeypatch.setattr(trials, "open_packed", lambda folder: turned)
    shown = list(trials.turned_trials(tmp_path, scenes / "images"))
    assert [trial.condition for trial in shown] == ["turned 60-75"] * 3
    for trial, row in zip(shown, range(3), strict=True):
        (left, top, right, bottom) = np.round(trial.faces[0]).astype(int)
        assert (right - left + bottom - top) / 2 + 1 >= trials.LEAST_BOX
        pasted = trial.image[max(0, top) : bottom, max(0, left) : right]
        assert np.abs(pasted.astype(int) - 90).mean() > 5, row
    monkeypatch.setattr(trials, "open_packed", lambda folder: packed)
    with pytest.raises(InputError, match="held-out turned"):
        list(trials.turned_trials(tmp_path, scenes / "images"))


def test_report_has_a_row_a_roll(scenes, monkeypatch, tmp_path, capsys):
    import json

    from FaceBoxes import detector

    def shifty(checkpoint_fp):
        return lambda image: np.zeros((0, 5)) if checkpoint_fp == "bad" else box(0.9)

    monkeypatch.setattr(detector, "FaceBoxes", shifty)
    command = ["bad", "--reference", "good", "--scenes", str(scenes), "--rolled"]
    command += ["--negatives", str(scenes / "images"), "--empty", str(scenes / "images")]
    assert evaluate.main([*command, "--out", str(tmp_path / "report.json")]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["rates"]) == len(trials.ROLLS)
    assert report["empty_false_positives"] == 0 and report["empty_reference_false_positives"] == 1
    assert "rolled 180" in capsys.readouterr().out
    with pytest.raises(InputError, match="--opinions"):
        evaluate.main([*command, "--profiles", str(scenes)])


@pytest.mark.parametrize(("flag", "scale"), [(None, None), ("--one-scale", 0.0), ("--once", "as")])
def test_pictures_are_searched_as_the_command_line_says(flag, scale, scenes, monkeypatch):
    import tddfa.picture_search
    from FaceBoxes import detector
    from tddfa.face_check import checked_detector, torch_check

    searched = []

    class Checked:
        def __init__(self, detector, check):
            pass

        def __call__(self, image):
            searched.append("as")
            return np.zeros((0, 5))

    def find(checked, image, detect_scale=None):
        searched.append(detect_scale)
        return np.zeros((0, 5))

    monkeypatch.setattr(detector, "FaceBoxes", lambda checkpoint_fp: lambda image: box(0.9))
    monkeypatch.setattr(checked_detector, "CheckedDetector", Checked)
    monkeypatch.setattr(torch_check, "TorchFaceCheck", lambda path: None)
    monkeypatch.setattr(tddfa.picture_search, "find_faces", find)
    command = ["a", "--reference", "b", "--scenes", str(scenes)]
    command += ["--negatives", str(scenes / "images")]
    flags = [flag] if flag else []
    assert evaluate.main([*command, "--check", "c", *flags]) == 0
    assert set(searched) == {scale}
    for refused in ([flag] if flag else []), ["--regressor", "free"]:
        if refused:
            with pytest.raises(InputError, match=f"{refused[0]}: expected --check"):
                evaluate.main([*command, *refused])
