"""``demo.py`` with bad configurations and arguments: the real loader."""

import os

import numpy as np
import pytest

from tddfa.cli import run_main
from tddfa.commands import image as demo


@pytest.fixture
def run_config(tmp_path, upstream, project_root, monkeypatch, capsys):
    """Run ``demo.py`` with a changed copy of the reference configuration."""
    monkeypatch.chdir(project_root)
    text = (project_root / "configs" / "reference_mb05.yml").read_text()

    def call(old="", new="", *, onnx=True):
        assert old in text
        (tmp_path / "c.yml").write_text(text.replace(old, new) if old else text)
        arguments = ["-c", tmp_path / "c.yml", "--assets", upstream, "--out", tmp_path / "o"]
        arguments += ["--onnx"] if onnx else []
        code = run_main(lambda: demo.main([str(a) for a in arguments]))
        out, err = capsys.readouterr()
        assert not (tmp_path / "o").exists()
        return code, out, err

    return call


@pytest.mark.parametrize("onnx", [True, False])
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("size: 120", "size: [", ["c.yml"]),
        ("size: 120", "seize: 120", ["c.yml", "seize"]),
        ("mb05_120x120.pth", "none.pth", ["checkpoint_fp", "none.pth"]),
        ("FaceBoxesProd.pth", "none.pth", ["detector_fp", "none.pth"]),
        ("tri.pkl", "none.pkl", ["tri_fp", "none.pkl"]),
        ("num_params: 62", "num_params: 72", ["62"]),
    ],
)
def test_bad_configuration(run_config, old, new, words, onnx, assert_one_line):
    if not onnx:
        pytest.importorskip("torch")
    assert_one_line(run_config(old, new, onnx=onnx), *words)


def test_unreadable_configuration(capsys):
    assert run_main(lambda: demo.main(["-c", "nowhere.yml"])) == 2
    assert "nowhere.yml" in capsys.readouterr().err


def test_weights_of_another_shape(run_config, tmp_path, assert_one_line):
    torch = pytest.importorskip("torch")
    from tddfa.backbones.mobilenet import MobileNet

    torch.save(MobileNet(0.25).state_dict(), tmp_path / "small.pth")
    change = "assets:weights/mb05_120x120.pth", str(tmp_path / "small.pth")
    assert_one_line(run_config(*change, onnx=False), "small.pth", "width")


def test_malicious_face_model(run_config, tmp_path, assert_one_line):
    import pickle

    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'canary'}",)

    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"u": Attack()}))
    change = "assets:configs/bfm_interpolated_from_sparse.pkl", str(tmp_path / "evil.pkl")
    assert_one_line(run_config(*change), "evil.pkl")
    assert not (tmp_path / "canary").exists()


def test_face_model_of_wrong_sizes(run_config, tmp_path, assert_one_line):
    np.savez(tmp_path / "m.npz", format_version=1, u=np.zeros(9), w_shp=np.zeros((6, 40)))
    change = "assets:configs/bfm_interpolated_from_sparse.pkl", str(tmp_path / "m.npz")
    assert_one_line(run_config(*change), "m.npz")


@pytest.mark.parametrize(
    "arguments",
    [["-o", "4d"], ["--threads", "0"], ["--show_flag", "perhaps"], ["-m", "tpu"], ["--nonsense"]],
)
def test_bad_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as info:
        demo.main(arguments)
    assert info.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_gpu_that_onnx_runtime_lacks(capsys, project_root, monkeypatch):
    monkeypatch.chdir(project_root)
    assert run_main(lambda: demo.main(["-m", "gpu", "--onnx"])) == 2
    err = capsys.readouterr().err
    assert "CUDAExecutionProvider" in err and "pip install onnxruntime-gpu" in err
