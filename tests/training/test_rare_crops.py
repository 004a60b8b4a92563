"""Which crops are labelled first."""

from dataclasses import replace

import numpy as np
import pytest

from tddfa.errors import InputError
from training import rare_crops
from training.labels.pseudo_labels import save_labels


@pytest.fixture
def aside(labels):
    """Labels of which every tenth face looks far aside."""
    camera = labels.camera.copy()
    turn = np.array([[0.5, 0, 0.866], [0, 1, 0], [-0.866, 0, 0.5]], np.float32)
    camera[::10, :, :3] = 0.45 * turn
    return replace(labels, camera=camera)


def test_faces_that_look_aside_are_rare(aside, model):
    assert rare_crops.rare(aside, model)[::10].all()
    assert not rare_crops.rare(aside, model).all()


def test_rare_ones_come_first_and_the_rest_fills_up(aside, model):
    first = set(aside.names[rare_crops.rare(aside, model)])
    names = rare_crops.choose(aside, model, 40)
    assert set(names[: len(first)]) == first and len(set(names)) == 40
    assert (names == rare_crops.choose(aside, model, 40)).all()
    assert set(rare_crops.choose(aside, model, 3)) <= first
    assert len(rare_crops.choose(aside, model, 10**6)) == len(aside.names)


def test_whole_folders_are_taken(aside, model):
    other = replace(aside, names=np.array([f"masks/{i}.webp" for i in range(len(aside.names))]))
    names = rare_crops.choose(other, model, 10**6, ["masks"])
    assert len(names) == len(other.names)
    assert rare_crops.choose(other, model, 5, ["mask"]).size == 5  # a folder's whole name counts


def test_no_crops_are_no_crops(aside, model):
    none = aside[np.zeros(0, int)]
    assert rare_crops.choose(none, model, 5).size == 0


def test_command_line_writes_a_list(aside, model_file, tmp_path, caplog):
    save_labels(tmp_path / "all_labels.npz", aside)
    arguments = [str(tmp_path), "--out", str(tmp_path / "rare.txt"), "--most", "7"]
    assert rare_crops.main([*arguments, "--face-model", str(model_file)]) == 0
    assert len((tmp_path / "rare.txt").read_text().splitlines()) == 7
    with pytest.raises(InputError, match="none"):
        rare_crops.main([str(tmp_path / "none"), *arguments[1:], "--face-model", str(model_file)])
