from dataclasses import replace

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from training.augmentation.profiling import rotation_matrix
from training.dataset.split import is_held_out_crop
from training.detector import faces as module
from training.detector.faces import joined, labelled_faces, rare_faces, turned_faces

# So far that some fall into the held-out fortieth.
NUMBERS = range(0, 4000, 40)


@pytest.fixture
def masks(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in NUMBERS:
        picture = np.full((168, 168, 3), 20 + number % 200, np.uint8)
        picture[:30] = 0
        cv2.imwrite(str(folder / f"{number:05d}.png"), picture)
    return folder


@pytest.fixture
def opened(packed, monkeypatch):
    """Let the packed faces look to a given side, and be turned ones or not."""

    def change(yaw, detected):
        camera = packed.labels.camera.copy()
        for row, degrees in enumerate(yaw):
            camera[row, :, :3] = rotation_matrix(degrees, 0)
        labels = replace(packed.labels, camera=camera)
        changed = replace(packed, labels=labels, detected=detected)
        monkeypatch.setattr(module, "open_packed", lambda folder: changed)
        return np.flatnonzero(~packed.held_out & packed.usable)

    return change


def test_rare_crops_are_drawn_to_their_share(masks):
    rare = rare_faces(masks, 2000, 0.2)
    assert len(rare.images) == len(rare.valid) == len(set(rare.draws))
    assert len(rare.draws) / (2000 + len(rare.draws)) == pytest.approx(0.2, abs=0.03)
    assert rare.images.shape[1:] == (168, 168, 3) and (rare.valid == [0, 30, 168, 168]).all()


def test_each_crop_is_there_at_least_once_and_no_held_out_one(masks):
    rare = rare_faces(masks, 0, 0.5)
    held_out = [is_held_out_crop(f"masks/{n:05d}.png") for n in NUMBERS]
    assert any(held_out) and len(rare.images) == len(held_out) - sum(held_out)
    assert (np.sort(rare.draws) == np.arange(len(rare.images))).all()


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0])
def test_impossible_share_is_named(masks, share):
    with pytest.raises(InputError, match="--rare-share"):
        rare_faces(masks, 10, share)


def test_folder_without_crops_is_named(tmp_path):
    with pytest.raises(InputError, match="square face crops"):
        rare_faces(tmp_path, 10, 0.1)


def test_labelled_crops_are_those_to_train_on(packed_folder, packed):
    found = labelled_faces(packed_folder, 10_000)
    kept = ~packed.held_out & packed.usable
    assert len(found.images) == len(found.valid) == kept.sum()
    assert len(labelled_faces(packed_folder, 10).images) <= 20
    assert (found.roi == [84, 84, 120]).all() and not found.sure.any()


def test_profiles_are_all_there_and_drawn_more_often(opened, packed_folder, packed):
    rows = opened([0.0] * len(packed), True)
    yaw = np.zeros(len(packed))
    yaw[rows[:2]] = 45, -80
    opened(yaw, True)
    found = labelled_faces(packed_folder, 1)
    times = np.bincount(found.draws)
    assert sorted(times)[-2:] == [4, 8] and set(times) == {1, 4, 8}


def test_turned_faces_have_the_roi_of_a_detector(opened, packed_folder, packed):
    yaw = np.zeros(len(packed))
    rows = opened(yaw, False)
    yaw[rows[1]] = 80
    opened(yaw, False)
    found = turned_faces(packed_folder, 10_000)
    assert found.sure.tolist() == [i == 1 for i in range(len(rows))]
    assert (found.roi[:, 2] > 140).all() and (found.roi[:, 2] < 150).all()


def test_turned_and_detected_faces_are_told_apart(opened, packed_folder):
    opened([], False)
    with pytest.raises(InputError, match="not turned"):
        labelled_faces(packed_folder, 10)
    opened([], True)
    with pytest.raises(InputError, match="expected turned"):
        turned_faces(packed_folder, 10)


def test_joined_sets_keep_their_draws(masks, packed_folder):
    first, second = labelled_faces(packed_folder, 100), rare_faces(masks, 0, 0.5)
    both = joined([first, second])
    assert len(both.images) == len(first.images) + len(second.images)
    start = len(first.draws)
    assert (both.images[both.draws[start]] == second.images[second.draws[0]]).all()
    assert both.draws.max() == len(both.images) - 1
