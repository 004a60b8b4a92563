"""Every network of `tddfa.backbones`: built, recognized, exported, trained a step."""

import numpy as np
import pytest

from tddfa import Config, FaceAligner, InputError, load_config
from tddfa.model_files import load_face_model
from tddfa.params import load_parameter_scale
from tddfa.plugins import load_part, part_names
from tddfa.weight_labels import regressor_labels

torch = pytest.importorskip("torch")

from tddfa.backbone import build_backbone, load_backbone, recognize  # noqa: E402 (after the check for torch)
from tddfa.checkpoints import save_checkpoint  # noqa: E402 (after the check for torch)

NAMES = part_names("tddfa.backbones")
WIDTH = 0.25


def network_of(name, num_params=62):
    """A network whose batch statistics are not the fresh ones."""
    torch.manual_seed(3)
    network = build_backbone(name, WIDTH, num_params)
    with torch.no_grad():
        network(torch.rand(4, 3, 120, 120))
    return network.eval()


def test_names():
    assert NAMES == ["mobilenet", "resnet"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num_params", [62, 141])
def test_built_and_recognized(name, num_params):
    network = network_of(name, num_params)
    batch = torch.rand(2, 3, 120, 120)
    features = network.features(batch)
    assert features.shape == (2, network.fc_param.in_features)
    torch.testing.assert_close(network(batch), network.fc_param(features))
    assert recognize(network.state_dict()) == (name, WIDTH, num_params)
    assert (network.arch, network.width) == (name, WIDTH)


def test_resnet_has_22_layers():
    network = build_backbone("resnet")
    layers = [m for n, m in network.named_modules() if "downsample" not in n]
    weighted = [m for m in layers if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weighted) == 22
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == pytest.approx(12.7e6, rel=0.01), "as its docstring says"


@pytest.mark.parametrize("name", NAMES)
def test_from_checkpoint_to_faces(name, tmp_path, project_root):
    from tddfa.export_onnx import export_onnx

    path = tmp_path / "net.pth"
    config = load_config(project_root / "configs" / "mb1_120x120.yml").with_values(
        arch=name, widen_factor=WIDTH, checkpoint_fp=str(path), onnx_fp=None
    )
    parts = (
        load_face_model(config.find("bfm_fp")),
        load_parameter_scale(config.find("param_mean_std_fp")),
    )
    save_checkpoint(path, network_of(name).state_dict(), regressor_labels(*parts, WIDTH, name))
    assert export_onnx(path, path.with_suffix(".onnx")) < 1e-4
    with pytest.raises(InputError, match="expected"):
        FaceAligner(config.with_values(arch=(set(NAMES) - {name}).pop()))
    image = np.random.default_rng(0).integers(0, 255, (90, 80, 3), np.uint8)
    found = [
        FaceAligner(config, backend=backend, threads=1).align(image, [[10, 10, 60, 70]])[0]
        for backend in ("onnx", "torch")
    ]
    np.testing.assert_allclose(found[0].param, found[1].param, rtol=1e-3, atol=1e-2)
    assert found[0].vertices.shape[0] == 3


@pytest.mark.parametrize("name", NAMES)
def test_of_another_kind_than_expected(name, tmp_path):
    path = tmp_path / "net.pth"
    torch.save(network_of(name).state_dict(), path)
    assert load_backbone(path).arch == name
    (other,) = set(NAMES) - {name}
    with pytest.raises(InputError, match=rf"net\.pth.*{other}.*{name}"):
        load_backbone(path, other)
    with pytest.raises(InputError, match=r"net\.pth.*width 1\.0"):
        load_backbone(path, name, 1.0)
    state = network_of(name).state_dict()
    state["fc_param.bias"] = torch.zeros(3)
    torch.save(state, path)
    with pytest.raises(InputError, match=r"fc_param\.bias"):
        load_backbone(path)


def test_neither(tmp_path):
    torch.save({"layer1.0.conv1.weight": torch.zeros(2)}, tmp_path / "net.pth")
    with pytest.raises(InputError, match="mobilenet or resnet"):
        load_backbone(tmp_path / "net.pth")


@pytest.mark.parametrize("name", ["vgg", "", "os", "../mobilenet", "_init_", "mobilenet.sub"])
def test_configuration_imports_nothing_else(name):
    for key in ("arch", "detector"):
        with pytest.raises(InputError, match=key):
            Config.from_mapping({key: name})
    with pytest.raises(InputError, match="arch"):
        load_part("tddfa.backbones", name, "arch")


@pytest.mark.parametrize("name", NAMES)
def test_twice_as_wide_and_the_same(name):
    from training.widen import widen

    network = network_of(name)
    batch = torch.rand(2, 3, 120, 120)
    wide = widen(network)
    assert (wide.arch, wide.width) == (name, 2 * WIDTH)
    with torch.inference_mode():
        torch.testing.assert_close(wide(batch), network(batch), rtol=1e-3, atol=1e-4)
