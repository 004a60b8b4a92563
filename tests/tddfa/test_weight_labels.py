import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.onnx_labels import is_made_from, read_onnx_labels
from tddfa.params import load_parameter_scale
from tddfa.weight_labels import WeightLabels, array_id, file_sha256, regressor_labels


def test_id_depends_on_everything_but_memory_order():
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    same = array_id(a=a)
    assert array_id(a=np.asfortranarray(a)) == same
    assert array_id(a=a.astype(">f4")) == same
    for other in (a.T, a.ravel(), a.astype(np.float64), a + 1e-7):
        assert array_id(a=other) != same
    assert array_id(b=a) != same
    assert array_id(a=a[:1], b=a[1:]) != array_id(a=a[:1], c=a[1:])


@pytest.mark.parametrize("values", [None, [], {"width": 1.0}, {"width": None, "extra": "x"}])
def test_labels_of_others_are_none(values):
    assert WeightLabels.from_mapping(values) == WeightLabels()


def test_labels_survive_a_mapping():
    labels = WeightLabels(network="mobilenet", width="0.5")
    assert labels.as_dict("t.") == {"t.network": "mobilenet", "t.width": "0.5"}
    assert WeightLabels.from_mapping(labels.as_dict("t."), "t.") == labels


@pytest.fixture
def net(small_config, tmp_path):
    """The small network's .pth, with its .onnx beside it."""
    for suffix in (".pth", ".onnx"):
        source = str(small_config["checkpoint_fp"]).removesuffix(".pth") + suffix
        shutil.copy(source, tmp_path / f"net{suffix}")
    return tmp_path / "net.pth"


def test_onnx_metadata_as_the_onnx_package_reads_it(net):
    onnx = pytest.importorskip("onnx")
    expected = {p.key: p.value for p in onnx.load(net.with_suffix(".onnx")).metadata_props}
    labels = read_onnx_labels(net.with_suffix(".onnx"))
    assert labels.as_dict("tddfa.") == expected
    assert labels.checkpoint == file_sha256(net)
    assert is_made_from(net.with_suffix(".onnx"), net)


def test_other_metadata_is_ignored_and_kept(net, small_config):
    onnx = pytest.importorskip("onnx")
    path = net.with_suffix(".onnx")
    before = read_onnx_labels(path)
    model = onnx.load(path)
    onnx.helper.set_model_props(
        model, {p.key: p.value for p in model.metadata_props} | {"author": "me", "note": "ä" * 300}
    )
    onnx.save(model, path)
    assert read_onnx_labels(path) == before


@pytest.mark.parametrize("content", [b"", b"no network", b"\xff" * 50, b"\x72\xff\xff\xff\xff\x0f"])
def test_what_is_no_onnx_says_nothing(tmp_path, content):
    (tmp_path / "x.onnx").write_bytes(content)
    assert read_onnx_labels(tmp_path / "x.onnx") == WeightLabels()
    assert read_onnx_labels(tmp_path / "none.onnx") == WeightLabels()


def test_a_truncated_onnx_says_nothing_wrong(net):
    whole = net.with_suffix(".onnx").read_bytes()
    labels = read_onnx_labels(net.with_suffix(".onnx"))
    cut = net.with_name("cut.onnx")
    for size in range(len(whole) - 400, len(whole), 7):
        cut.write_bytes(whole[:size])
        for key, value in read_onnx_labels(cut).as_dict().items():
            assert value == labels.as_dict()[key]


def label(net, small_config, *extra):
    from tddfa.label_weights import main

    model, scale = small_config["bfm_fp"], small_config["param_mean_std_fp"]
    arguments = [net, "--face_model", model, "--param_scale", scale, *extra]
    return run_main(lambda: main([str(a) for a in arguments]))


def strip(net):
    """Take the labels away, as from files that are older."""
    import onnx

    from tddfa.checkpoints import load_tensors, save_checkpoint

    save_checkpoint(net, load_tensors(net))
    model = onnx.load(net.with_suffix(".onnx"))
    del model.metadata_props[:]
    onnx.save(model, net.with_suffix(".onnx"))


@pytest.mark.parametrize("half", [False, True])
def test_labelling_changes_no_number(net, small_config, half):
    import onnx
    import torch

    from tddfa.checkpoints import load_labels, load_tensors, save_checkpoint
    from tddfa.export_onnx import export_onnx

    if half:
        save_checkpoint(net, {key: value.half() for key, value in load_tensors(net).items()})
        export_onnx(net, net.with_suffix(".onnx"))
    strip(net)
    before = load_tensors(net), onnx.load(net.with_suffix(".onnx")).graph.SerializeToString()
    assert load_labels(net) == WeightLabels()
    assert label(net, small_config) == 0
    tensors = load_tensors(net)
    assert list(tensors) == list(before[0])
    for key, value in tensors.items():
        assert value.dtype == before[0][key].dtype
        assert torch.equal(value, before[0][key])
    assert onnx.load(net.with_suffix(".onnx")).graph.SerializeToString() == before[1]
    scale = load_parameter_scale(small_config["param_mean_std_fp"])
    expected = regressor_labels(load_face_model(small_config["bfm_fp"]), scale, 0.25)
    assert load_labels(net) == expected
    assert read_onnx_labels(net.with_suffix(".onnx")) == replace(
        expected, checkpoint=file_sha256(net)
    )
    first = net.read_bytes()
    assert label(net, small_config) == 0  # again, nothing to do
    assert net.read_bytes() == first


def test_labels_that_say_something_else_are_kept(net, small_config, tmp_path, capsys):
    other = small_config | {"param_mean_std_fp": str(tmp_path / "other.npz")}
    np.savez(tmp_path / "other.npz", mean=np.ones(62), std=np.ones(62))
    before = net.read_bytes()
    assert label(net, other) == 2
    assert "net.pth" in capsys.readouterr().err
    assert net.read_bytes() == before
    assert label(net, other, "--force") == 0
    assert net.read_bytes() != before


def test_an_onnx_that_computes_something_else_is_not_labelled(net, small_config, capsys):
    import torch

    from tddfa.backbones.mobilenet import MobileNet
    from tddfa.checkpoints import save_checkpoint

    torch.manual_seed(1)
    save_checkpoint(net, MobileNet(0.25).state_dict())
    before = net.with_suffix(".onnx").read_bytes()
    assert label(net, small_config) == 2
    assert "net.onnx" in capsys.readouterr().err
    assert net.with_suffix(".onnx").read_bytes() == before


def test_an_onnx_made_from_another_checkpoint_is_refused(net):
    other = net.with_name("other.pth")
    other.write_bytes(b"x")
    with pytest.raises(InputError, match=r"net\.onnx.*other\.pth"):
        is_made_from(net.with_suffix(".onnx"), other)


def test_reading_labels_imports_neither_torch_nor_onnx(net):
    code = (
        "import sys; from pathlib import Path; from tddfa.onnx_labels import read_onnx_labels; "
        "print(read_onnx_labels(Path(sys.argv[1])).network, 'torch' in sys.modules, "
        "'onnx' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(net.with_suffix(".onnx"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mobilenet", "False", "False"]
