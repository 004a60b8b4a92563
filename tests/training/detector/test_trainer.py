"""What moves the detector's weights."""

import pytest

from FaceBoxes.network import FaceBoxesNet
from tddfa.errors import InputError
from training.detector.trainer import make_optimizer
from training.regressor.muon import Together


@pytest.mark.parametrize("name", ["sgd", "muon"])
def test_every_parameter_is_moved_by_just_one_optimizer(name: str) -> None:
    network = FaceBoxesNet()
    groups = make_optimizer(network, 1e-3, name).param_groups
    moved = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(moved) == sorted(id(parameter) for parameter in network.parameters())


def test_muon_moves_kernels_inside_and_neither_heads_nor_what_sees_colors() -> None:
    network = FaceBoxesNet()
    optimizer = make_optimizer(network, 1e-3, "muon")
    assert isinstance(optimizer, Together)
    moved = {id(p) for group in optimizer.optimizers[1].param_groups for p in group["params"]}
    named = {name for name, parameter in network.named_parameters() if id(parameter) in moved}
    assert "inception1.branch1x1.conv.weight" in named
    assert not any(name.startswith(("loc.", "conf.", "conv1.")) for name in named)
    assert all(name.endswith("weight") for name in named)


def test_an_unknown_optimizer_is_named() -> None:
    with pytest.raises(InputError, match="sgd or muon, got 'adam'"):
        make_optimizer(FaceBoxesNet(), 1e-3, "adam")
