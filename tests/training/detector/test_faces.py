from dataclasses import replace

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from training.dataset.split import is_held_out_crop
from training.detector import faces as module
from training.detector.faces import labelled_faces, rare_faces

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


def test_rare_crops_are_repeated_to_their_share(masks):
    images, valid = rare_faces(masks, 2000, 0.2)
    assert len(images) == len(valid)
    assert len(images) / (2000 + len(images)) == pytest.approx(0.2, abs=0.03)
    assert images.shape[1:] == (168, 168, 3) and (valid == [0, 30, 168, 168]).all()


def test_each_crop_is_there_at_least_once_and_no_held_out_one(masks):
    images, _ = rare_faces(masks, 0, 0.5)
    held_out = [is_held_out_crop(f"masks/{n:05d}.png") for n in NUMBERS]
    assert any(held_out) and len(images) == len(held_out) - sum(held_out)


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0])
def test_impossible_share_is_named(masks, share):
    with pytest.raises(InputError, match="--rare-share"):
        rare_faces(masks, 10, share)


def test_folder_without_crops_is_named(tmp_path):
    with pytest.raises(InputError, match="square face crops"):
        rare_faces(tmp_path, 10, 0.1)


def test_labelled_crops_are_those_to_train_on(packed_folder, packed, monkeypatch):
    images, valid = labelled_faces(packed_folder, 10_000)
    kept = ~packed.held_out & packed.usable
    assert len(images) == len(valid) == kept.sum()
    assert len(labelled_faces(packed_folder, 10)[0]) <= 20
    turned = replace(packed, detected=False)
    monkeypatch.setattr(module, "open_packed", lambda folder: turned)
    with pytest.raises(InputError, match="not turned"):
        labelled_faces(packed_folder, 10)
