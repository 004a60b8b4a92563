"""Labels of blendshapes find their crops, turned ones too."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tddfa.arkit52 import NAMES
from tddfa.errors import InputError
from training import train_blendshapes
from training.blendshapes.sources import with_blendshapes
from training.dataset.shards import Shards
from training.labels.blendshape_join import KIND
from training.provenance.entry import PICTURE, Entry, write_manifest


@pytest.fixture
def shapes(packed, tmp_path):
    """Labels of every other crop."""
    names = packed.labels.names[::2]
    values = np.random.default_rng(0).uniform(0, 1, (len(names), 52)).astype(np.float32)
    Shards(tmp_path, KIND).write(0, names=names, network=values, fitted=values)
    return tmp_path


def test_turned_faces_take_the_label_of_the_crop_that_they_were_made_of(
    packed, packed_folder, shapes
):
    turned = replace(packed, labels=packed.labels[np.array([2, 2, 1])])
    turned = replace(turned, images=packed.images[:3], depth=packed.depth[:3])
    (first, second), spread = with_blendshapes(
        [packed_folder, packed_folder], [packed, turned], [shapes]
    )
    assert np.isfinite(first.blendshapes).all(axis=1).tolist() == [True, False] * 30
    assert (second.blendshapes[:2] == first.blendshapes[2]).all()
    assert np.isnan(second.blendshapes[2]).all()
    assert spread.shape == (52,) and torch.isfinite(spread).all() and (spread > 0).any()


def test_rendered_heads_bring_their_own(packed, packed_folder, shapes, tmp_path):
    heads = tmp_path / "heads"
    heads.mkdir()
    for file in packed_folder.iterdir():
        (heads / file.name).write_bytes(file.read_bytes())
    true = np.full((len(packed), 52), 0.25, np.float32)
    np.savez(heads / "truth.npz", blendshapes=true, blendshape_names=np.array(NAMES))
    (found,), _ = with_blendshapes([heads], [packed], [shapes])
    assert (found.blendshapes == 0.25).all()


def test_labels_of_other_crops_are_refused(packed, packed_folder, tmp_path):
    Shards(tmp_path, KIND).write(
        0, names=np.array(["x"]), network=np.ones((1, 52)), fitted=np.ones((1, 52))
    )
    with pytest.raises(InputError, match="expected labels of the crops"):
        with_blendshapes([packed_folder], [packed], [tmp_path])
    with pytest.raises(InputError, match="blendshape_labels"):
        with_blendshapes([packed_folder], [packed], [tmp_path / "nothing"])


def test_a_free_head_needs_a_free_regressor(packed_folder, shapes, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for file in packed_folder.iterdir():
        (data / file.name).write_bytes(file.read_bytes())
    free = Entry(PICTURE, "a.png", "CC0-1.0")
    for folder in (data, shapes):
        write_manifest(folder, [free])
    regressor, out = tmp_path / "net.pth", tmp_path / "head.pth"
    regressor.write_bytes(b"nobody knows")
    words = [str(regressor), "--data", str(data), str(shapes), "--out", str(out), "--free"]
    with pytest.raises(InputError, match=r"--free: regressor '.*net.pth' has weights 'net.pth'"):
        train_blendshapes.main(words)
    (shapes / "manifest.csv").unlink()
    with pytest.raises(InputError, match=r"manifest\.csv' is missing"):
        train_blendshapes.main(words)
    assert not out.exists()


def test_crops_without_labels_say_so(packed):
    assert torch.isnan(packed.crops(np.arange(2)).blendshapes).all()
