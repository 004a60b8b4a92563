"""`models`: the networks under the reference's names."""

import numpy as np
import pytest
import torch

import models
from models.mobilenet_v1 import DepthWiseBlock, MobileNet
from models.resnet import ResNet, resnet22
from tddfa import InputError
from tddfa.backbone import load_backbone
from utils.tddfa_util import load_model

PICTURES = torch.rand(2, 3, 120, 120, generator=torch.Generator().manual_seed(0)) * 2 - 1


def n_params(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("mobilenet_2", 2),
        ("mobilenet_1", 1),
        ("mobilenet_075", 0.75),
        ("mobilenet_05", 0.5),
        ("mobilenet_025", 0.25),
    ],
)
def test_widths(name, width):
    network = getattr(models, name)(num_classes=72)
    assert network.fc.in_features == 1024 * width and network.fc.out_features == 72


def test_how_the_reference_builds_it():
    network = getattr(models, "mobilenet")(  # noqa: B009 (as it is written there)
        num_classes=62, widen_factor=0.5, size=120, mode="small"
    ).eval()
    assert network(PICTURES).shape == (2, 62)
    assert 0.84e6 < n_params(network) < 0.86e6


def test_trained_weights(project_root):
    path = project_root / "weights" / "mb05_120x120.pth"
    network = load_model(models.mobilenet(widen_factor=0.5), path).eval()
    with torch.no_grad():
        torch.testing.assert_close(network(PICTURES), load_backbone(path)(PICTURES))


def test_weights_of_the_reference(upstream):
    path = upstream / "weights" / "mb05_120x120.pth"
    network = load_model(MobileNet(0.5, 62), path).eval()
    with torch.no_grad():
        torch.testing.assert_close(network(PICTURES), load_backbone(path)(PICTURES))


def test_a_checkpoint_saved_from_it_loads_everywhere(tmp_path):
    network = models.mobilenet_025()
    torch.save({"state_dict": network.state_dict()}, tmp_path / "x.pth")
    assert "fc.weight" in network.state_dict()
    with torch.no_grad():
        expected = network.eval()(PICTURES)
        torch.testing.assert_close(load_backbone(tmp_path / "x.pth")(PICTURES), expected)
        again = load_model(models.mobilenet_025(), tmp_path / "x.pth").eval()
        torch.testing.assert_close(again(PICTURES), expected)


def test_weights_of_another_width(tmp_path):
    torch.save(models.mobilenet_025().state_dict(), tmp_path / "x.pth")
    with pytest.raises(InputError, match="another shape"):
        load_model(models.mobilenet_05(), tmp_path / "x.pth")
    torch.save({"a": torch.zeros(1)}, tmp_path / "y.pth")
    with pytest.raises(InputError, match="no tensor"):
        load_model(models.mobilenet_05(), tmp_path / "y.pth")


def test_other_channels_and_activation():
    network = MobileNet(0.25, 10, prelu=True, input_channel=1).eval()
    assert network(torch.zeros(1, 1, 64, 64)).shape == (1, 10)
    slopes = [m for m in network.modules() if isinstance(m, torch.nn.PReLU)]
    assert len(slopes) == 14
    block = DepthWiseBlock(8, 16, stride=2, prelu=True)
    assert block(torch.zeros(1, 8, 10, 10)).shape == (1, 16, 5, 5)
    assert isinstance(block.relu, torch.nn.PReLU)


def test_resnet_22_builds_runs_and_learns():
    torch.manual_seed(0)
    network = resnet22(num_classes=62)
    layers = [
        m
        for name, m in network.named_modules()
        if isinstance(m, torch.nn.Conv2d | torch.nn.Linear) and "downsample" not in name
    ]
    assert isinstance(network, ResNet) and len(layers) == 22
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    losses = []
    for _ in range(4):
        loss = (network(PICTURES) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] and np.isfinite(losses).all()
    network.eval()
    with torch.no_grad():
        assert network(PICTURES).shape == (2, 62)
