import os
import pickle

import pytest
import torch

from FaceBoxes.inference_network import InferenceNet
from FaceBoxes.network import FaceBoxesNet, load_network
from FaceBoxes.prior_box import prior_boxes
from tddfa.errors import InputError

ODD_SIZES = [(1, 1), (1, 500), (33, 500), (97, 131), (128, 64)]


@pytest.mark.parametrize("size", ODD_SIZES)
def test_one_row_per_anchor(random_network, size):
    with torch.inference_mode():
        loc, conf = random_network(torch.zeros(2, 3, *size))
    assert loc.shape == (2, len(prior_boxes(*size)), 4)
    assert conf.shape == (2, len(prior_boxes(*size)), 2)
    torch.testing.assert_close(conf.sum(dim=2), torch.ones(conf.shape[:2]))


def test_training_gives_logits_and_gradients():
    network = FaceBoxesNet().train()
    loc, conf = network(torch.randn(2, 3, 64, 96))
    assert (conf < 0).any()
    (loc.square().mean() + conf.square().mean()).backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


@pytest.mark.parametrize("size", ODD_SIZES)
def test_rearranged_network_is_the_same_function(random_network, size):
    image = 60 * torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        loc, conf = random_network(image)
        fast_loc, fast_conf = InferenceNet(random_network)(image)
    torch.testing.assert_close(fast_loc, loc, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(fast_conf, conf, rtol=1e-4, atol=1e-4)


def test_rearranging_leaves_the_network_alone(random_network):
    before = {name: value.clone() for name, value in random_network.state_dict().items()}
    InferenceNet(random_network)
    after = random_network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_reads_the_reference_weights(checkpoint):
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = load_network(checkpoint)
    assert not network.training
    state = network.state_dict()
    assert list(state) == list(stored)
    assert all(torch.equal(state[name], value) for name, value in stored.items())


@pytest.mark.parametrize("form", ["data parallel", "state_dict", "without counters", "half"])
def test_reads_other_forms_of_the_same_weights(random_network, tmp_path, form):
    state = random_network.state_dict()
    stored = {
        "data parallel": {f"module.{name}": value for name, value in state.items()},
        "state_dict": {"state_dict": state, "epoch": 3},
        "without counters": {k: v for k, v in state.items() if "num_batches" not in k},
        "half": {k: v.half() if v.is_floating_point() else v for k, v in state.items()},
    }[form]
    torch.save(stored, tmp_path / "x.pth")
    loaded = load_network(tmp_path / "x.pth").state_dict()
    tolerance = 1e-3 if form == "half" else 0
    for name, value in state.items():
        torch.testing.assert_close(loaded[name], value, rtol=tolerance, atol=tolerance)


def _other_shape(state):
    return state | {"conv1.conv.weight": torch.zeros(24, 3, 5, 5)}


def _missing(state):
    return {name: value for name, value in state.items() if name != "loc.1.bias"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_shape, r"'conv1\.conv\.weight' has the shape \(24, 3, 5, 5\)"),
        (_missing, r"lacks tensor 'loc\.1\.bias'"),
        (lambda state: state | {"fc.weight": torch.zeros(3)}, r"unknown tensor 'fc\.weight'"),
        (lambda state: {}, "lacks tensor"),
        (lambda state: state | {"conv1.bn.bias": 3}, "state_dict of tensors"),
        (lambda state: {7: torch.zeros(3)}, "state_dict of tensors"),
        (lambda state: torch.zeros(3), "state_dict of tensors"),
    ],
)
def test_weights_of_another_network_are_refused(random_network, tmp_path, change, message):
    path = tmp_path / "other.pth"
    torch.save(change(dict(random_network.state_dict())), path)
    with pytest.raises(InputError, match=message) as error:
        load_network(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x80\x04.", b"PK\x03\x04broken"])
def test_what_is_no_checkpoint_is_refused(tmp_path, content, recwarn):
    path = tmp_path / "text.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match="expected a PyTorch checkpoint") as error:
        load_network(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert not recwarn.list  # the error is all that a user gets to see


def test_truncated_checkpoint_is_refused(random_network, tmp_path):
    torch.save(random_network.state_dict(), tmp_path / "whole.pth")
    content = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"cut\.pth.*expected a PyTorch checkpoint"):
        load_network(tmp_path / "cut.pth")


@pytest.mark.parametrize("name", ["absent.pth", "."])
def test_missing_file_and_folder_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="no such file"):
        load_network(tmp_path / name)


class Malicious:
    """Creates a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_malicious_pickle_is_not_executed(tmp_path, zipped):
    trace, path = tmp_path / "trace", tmp_path / "malicious.pth"
    torch.save({"conv1": Malicious(str(trace))}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"malicious\.pth"):
        load_network(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)  # the file is what it is meant to be
    assert trace.exists()


def test_malicious_plain_pickle_is_not_executed(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "malicious.pth"
    path.write_bytes(pickle.dumps(Malicious(str(trace))))
    with pytest.raises(InputError, match=r"malicious\.pth"):
        load_network(path)
    assert not trace.exists()
