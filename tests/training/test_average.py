"""The mean of regressors."""

import pytest
import torch

from tddfa.backbone import build_backbone, load_backbone
from tddfa.checkpoints import load_labels, load_state_dict, save_checkpoint
from tddfa.errors import InputError
from training import average

SCALE = "configs/param_mean_std_62d.npz"


@pytest.fixture
def rounds(tmp_path, project_root):
    """Two small networks that say what they were trained for."""
    labels = load_labels(project_root / "weights/mb05_120x120.pth")
    paths = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        paths.append(tmp_path / f"round{seed}.pth")
        save_checkpoint(paths[-1], build_backbone("mobilenet", 0.25, 62).state_dict(), labels)
    return paths


def test_weights_lie_halfway_and_load_as_a_network(rounds, tmp_path, project_root):
    out = tmp_path / "mean"
    arguments = [*map(str, rounds), "--param-scale", str(project_root / SCALE), "--out", str(out)]
    assert average.main(arguments) == 0
    first, second, mean = (load_state_dict(p) for p in (*rounds, out / "weights.pth"))
    key = "conv1.weight"
    torch.testing.assert_close(mean[key], (first[key].float() + second[key].float()) / 2)
    assert load_backbone(out / "weights.pth").width == 0.25
    assert load_labels(out / "weights.pth") == load_labels(rounds[0])
    assert (out / "param_mean_std.npz").is_file()


def test_one_network_is_its_own_mean(rounds):
    mean, only = average.average(rounds[:1]), load_state_dict(rounds[0])
    assert all(torch.equal(mean[key], only[key].to(mean[key].dtype)) for key in only)


def test_another_network_or_scale_is_refused(rounds, tmp_path, project_root):
    other = project_root / "weights/mb05_120x120.pth"
    with pytest.raises(InputError, match=r"mb05_120x120\.pth.*same network"):
        average.average([rounds[0], other])
    save_checkpoint(tmp_path / "unknown.pth", load_state_dict(rounds[1]))
    with pytest.raises(InputError, match=r"unknown\.pth.*face model and scale"):
        average.average([rounds[0], tmp_path / "unknown.pth"])
