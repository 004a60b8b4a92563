import pytest

torch = pytest.importorskip("torch")

from tddfa.memory_layout import channels_last  # noqa: E402 (after the check for torch)


@pytest.mark.parametrize("bias", [True, False])
def test_weights_lie_as_pytorchs_own_call_lays_them(bias):
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(3, 8, 5, bias=bias), torch.nn.BatchNorm2d(8), torch.nn.Flatten()]
    network = torch.nn.Sequential(*layers, torch.nn.Linear(8 * 36, 2)).eval()
    picture = torch.randn(2, 3, 10, 10)
    before = network(picture)
    ours = channels_last(network)
    assert ours is network
    torch.testing.assert_close(ours(picture), before)
    strides = [tensor.stride() for tensor in ours.state_dict().values()]
    theirs = network.to(memory_format=torch.channels_last)
    assert strides == [tensor.stride() for tensor in theirs.state_dict().values()]
    assert ours[0].weight.is_contiguous(memory_format=torch.channels_last)
