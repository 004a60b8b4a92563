import pytest
import torch

from tddfa.backbone import load_backbone
from tddfa.backbones.mobilenet import MobileNet
from tddfa.errors import InputError
from training.widen import main, widen


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    net = MobileNet(0.125, 62).train()
    with torch.no_grad():
        for _ in range(3):  # statistics that are not all 0 and 1
            net(torch.randn(4, 3, 120, 120))
    return net.eval()


def test_twice_the_width_gives_the_same_answers(network):
    pictures = torch.randn(3, 3, 120, 120)
    wide = widen(network)
    assert wide.conv1.out_channels == 2 * network.conv1.out_channels
    with torch.no_grad():
        torch.testing.assert_close(wide(pictures), network(pictures), atol=1e-4, rtol=1e-4)


def test_twins_part_in_training(network):
    wide = widen(network).train()
    wide(torch.randn(4, 3, 120, 120)).square().sum().backward()
    gradient = wide.dw3_1.conv_sep.weight.grad
    first, second = gradient.chunk(2)
    assert (first - second).abs().max() > 0.05 * gradient.abs().max()


def test_command_line(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "narrow.pth")
    assert main([str(tmp_path / "narrow.pth"), "--out", str(tmp_path / "wide.pth")]) == 0
    assert load_backbone(tmp_path / "wide.pth", "mobilenet", 0.25).fc_param.in_features == 256
    with pytest.raises(InputError, match=r"none\.pth"):
        main([str(tmp_path / "none.pth"), "--out", str(tmp_path / "wide.pth")])
