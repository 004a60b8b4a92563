import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tddfa.backbone import load_backbone  # noqa: E402 (after the check for torch)
from tddfa.backbones.mobilenet import MobileNet  # noqa: E402 (after the check for torch)
from tddfa.errors import InputError  # noqa: E402 (after the check for torch)
from tddfa.export_onnx import export_onnx, main  # noqa: E402 (after the check for torch)


@pytest.mark.parametrize(("width", "millions"), [(1.0, 3.27), (0.5, 0.85)])
def test_number_of_parameters(width, millions):
    """The paper's figures, which count the 62 outputs in."""
    count = sum(p.numel() for p in MobileNet(width).parameters()) / 1e6
    assert count == pytest.approx(millions, abs=0.02)


@pytest.mark.parametrize("length", [62, 72, 141])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_shapes(n, length):
    with torch.inference_mode():
        assert MobileNet(0.25, length).eval()(torch.zeros(n, 3, 120, 120)).shape == (n, length)


def test_checkpoints_of_all_spellings(tmp_path):
    network = MobileNet(0.25).eval()
    plain = network.state_dict()
    reference = {f"module.{k}": v for k, v in plain.items()} | {
        "module.fc_lm.weight": torch.zeros(136, 256),
        "module.fc_lm.bias": torch.zeros(136),
    }
    older = {k.replace("fc_param", "fc"): v for k, v in plain.items()}
    half = {k: v.half() if v.is_floating_point() else v for k, v in plain.items()}
    batch = torch.rand(1, 3, 120, 120)
    for number, state in enumerate((plain, reference, older, half)):
        path = tmp_path / f"{number}.pth"
        torch.save({"state_dict": state, "epoch": 3}, path)
        with torch.inference_mode():
            actual, expected = load_backbone(path)(batch), network(batch)
        np.testing.assert_allclose(actual, expected, atol=0 if state is not half else 2e-2)


def test_width_is_read_off(tmp_path):
    torch.save(MobileNet(0.5, 72).state_dict(), tmp_path / "x.pth")
    assert load_backbone(tmp_path / "x.pth", "mobilenet", 0.5, 72).fc_param.out_features == 72
    with pytest.raises(InputError, match=r"x\.pth.*width 1\.0"):
        load_backbone(tmp_path / "x.pth", "mobilenet", 1.0, 72)


class Attack:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        pickle.dumps(Attack()),
        pickle.dumps({"state_dict": [1, 2]}),
    ],
)
def test_no_checkpoint(tmp_path, content, capsys):
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.pth"):
        load_backbone(path)
    assert "executed" not in capsys.readouterr().out


def test_malicious_zip_checkpoint_is_not_executed(tmp_path, capsys):
    torch.save({"state_dict": Attack()}, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"x\.pth"):
        load_backbone(tmp_path / "x.pth")
    assert "executed" not in capsys.readouterr().out


def test_weights_of_another_network(tmp_path):
    torch.save(torch.nn.Linear(2, 3).state_dict(), tmp_path / "x.pth")
    with pytest.raises(InputError, match="mobilenet"):
        load_backbone(tmp_path / "x.pth")
    state = MobileNet(0.25).state_dict()
    state["dw6.bn_sep.weight"] = torch.zeros(3)
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"dw6\.bn_sep"):
        load_backbone(tmp_path / "x.pth")


def test_export_agrees_for_every_batch_size(small_config, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    checkpoint, target = small_config["checkpoint_fp"], tmp_path / "sub" / "x.onnx"
    assert main([str(checkpoint), "--out", str(target)]) == 0
    assert [path.name for path in target.parent.iterdir()] == ["x.onnx"]
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    network = load_backbone(str(checkpoint))
    for n in (1, 2, 5):
        batch = np.random.default_rng(n).uniform(-1, 1, (n, 3, 120, 120)).astype(np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(batch)).numpy()
        np.testing.assert_allclose(session.run(None, {"input": batch})[0], expected, atol=1e-4)


def test_export_to_an_impossible_place(small_config, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file"):
        export_onnx(str(small_config["checkpoint_fp"]), tmp_path / "file" / "x.onnx")
