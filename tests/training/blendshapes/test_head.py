"""The head: what it learns, what it must not, and the same numbers out of both its files."""

import numpy as np
import pytest
import torch

from tddfa.arkit52 import MIRRORED, NAMES
from tddfa.blendshape_head import load_blendshape_head
from tddfa.checkpoints import load_labels
from tddfa.errors import InputError
from tddfa.onnx_labels import read_onnx_labels
from tddfa.weight_labels import file_sha256
from training.blendshapes.export import export_head
from training.blendshapes.features import Features
from training.blendshapes.measure import compare, correlations
from training.blendshapes.train_head import UNSEEN, HeadSettings, train_head


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, (3000, 20)).astype(np.float32)
    mixed = (values - 3) @ rng.normal(size=(20, 52)) / 6
    coefficients = np.clip(mixed, 0, 1).astype(np.float32)
    coefficients[:, NAMES.index("jawLeft")] = 0  # nobody ever did
    return Features(values, coefficients, np.arange(3000) % 3 == 0)


@pytest.fixture(scope="module")
def head(features):
    return train_head(features, HeadSettings(hidden=48, epochs=20))


def test_it_learns_and_what_never_moves_stays(features, head):
    with torch.inference_mode():
        found = head(torch.from_numpy(features.values)).numpy()
    report = compare(found, features.coefficients)
    assert report["mean_correlation"] > 0.9 and report["moving"] == 51
    assert not found[:, [NAMES.index(name) for name in UNSEEN]].round(4).any()
    assert found.min() >= 0 and found.max() <= 1
    assert found[:, NAMES.index("jawLeft")].max() < 1e-4


def test_the_same_seed_gives_the_same_head(features):
    first, second = (train_head(features, HeadSettings(hidden=4, epochs=1)) for _ in range(2))
    assert torch.equal(first.fc_shapes.weight, second.fc_shapes.weight)


def test_files_say_whose_features_they_read(head, tmp_path):
    regressor = tmp_path / "net.pth"
    regressor.write_bytes(b"weights")
    checkpoint, onnx = export_head(head, regressor, tmp_path / "head.pth")
    assert load_labels(checkpoint).checkpoint == file_sha256(regressor)
    assert read_onnx_labels(onnx) == load_labels(checkpoint)
    inputs = torch.randn((5, 20))
    again = load_blendshape_head(checkpoint, 20)
    with torch.inference_mode():
        assert (again(inputs) - head(inputs)).abs().max() < 5e-3  # half precision
    with pytest.raises(InputError, match="1024 features"):
        load_blendshape_head(checkpoint, 1024)


def test_correlations_of_odd_columns():
    labels = np.array([[0.0, 1.0, 0.2], [1.0, 1.0, 0.4], [0.5, 1.0, 0.0]])
    found = np.array([[1.0, 0.3, 0.5], [0.0, 0.1, 0.5], [0.5, 0.2, 0.5]])
    r = correlations(found, labels)
    assert r[0] == pytest.approx(-1) and np.isnan(r[1:]).all()


def test_mirroring_twice_is_nothing():
    assert (np.array(MIRRORED)[MIRRORED] == np.arange(52)).all()
