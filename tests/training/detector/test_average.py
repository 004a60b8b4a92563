import pytest
import torch

from FaceBoxes.network import FaceBoxesNet, load_network
from tddfa.errors import InputError
from training.detector.average import average, main
from training.detector.trainer import initialize


@pytest.fixture(scope="module")
def networks():
    made = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = FaceBoxesNet().eval()
        initialize(network)
        made.append(network)
    return made


def test_one_network_alone_stays_as_it_is(networks):
    picture = torch.randn(1, 3, 128, 128)
    with torch.no_grad():
        for found, expected in zip(
            average(networks[:1])(picture), networks[0](picture), strict=True
        ):
            torch.testing.assert_close(found, expected)


def test_weights_are_means(networks):
    found, *both = (n.conv2.conv.weight for n in (average(networks), *networks))
    torch.testing.assert_close(found, (both[0] + both[1]) / 2)


def test_the_given_score_becomes_a_half(networks):
    picture = torch.randn(1, 3, 128, 128)
    with torch.no_grad():
        before = networks[0](picture)[1][0, :, 1]
        after = average(networks[:1], 0.6)(picture)[1][0, :, 1]
    odds = before / (1 - before) / 1.5
    torch.testing.assert_close(after, odds / (1 + odds))


def test_command_line(networks, tmp_path):
    paths = [str(tmp_path / f"{i}.pth") for i in range(2)]
    for network, path in zip(networks, paths, strict=True):
        torch.save(network.state_dict(), path)
    assert main([*paths, "--out", str(tmp_path / "mean")]) == 0
    assert isinstance(load_network(tmp_path / "mean/weights.pth"), FaceBoxesNet)
    with pytest.raises(InputError, match="--score"):
        main([*paths, "--score", "1", "--out", str(tmp_path)])
