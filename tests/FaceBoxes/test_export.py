import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from FaceBoxes.export import export_onnx
from FaceBoxes.network import load_network
from FaceBoxes.prior_box import prior_boxes
from tddfa.errors import InputError

SIZES = [(1, 1), (1, 300), (33, 500), (97, 131), (200, 300), (525, 1080)]


@pytest.fixture(scope="module")
def random_file(random_network, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "random.onnx"
    export_onnx(random_network, path)
    return path


def run(path, image):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["loc", "conf"], {"input": image})


def picture(size, batch=1):
    rng = np.random.default_rng(3)
    return rng.uniform(-123, 151, (batch, 3, *size)).astype(np.float32)


def assert_same(network, path, image):
    with torch.inference_mode():
        loc, conf = network(torch.from_numpy(image))
    onnx_loc, onnx_conf = run(path, image)
    assert onnx_loc.shape == (len(image), len(prior_boxes(*image.shape[2:])), 4)
    np.testing.assert_allclose(onnx_loc, loc, atol=1e-4, rtol=0)
    np.testing.assert_allclose(onnx_conf, conf, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", SIZES)
def test_trained_network_agrees_with_pytorch(checkpoint, onnx_file, size):
    assert_same(load_network(checkpoint), onnx_file, picture(size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("batch", [1, 3])
def test_random_network_agrees_with_pytorch(random_network, random_file, size, batch):
    assert_same(random_network, random_file, picture(size, batch))


def test_file_is_complete_and_lean(random_file):
    assert [path.name for path in random_file.parent.iterdir()] == ["random.onnx"]
    model = onnx.load(random_file, load_external_data=False)
    assert not any(onnx.external_data_helper.uses_external_data(t) for t in model.graph.initializer)
    assert not {node.op_type for node in model.graph.node} & {"BatchNormalization", "Dropout"}
    # The exporter records where each operation stands in whose source file.
    # Random weights can spell anything: they are left out.
    del model.graph.initializer[:]
    assert b".py" not in model.SerializeToString()


def test_failure_leaves_the_old_file(random_network, tmp_path, monkeypatch):
    def fail(*args):
        raise MemoryError

    path = tmp_path / "old.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr("tddfa.onnx_writer._largest_difference", fail)
    with pytest.raises(MemoryError):
        export_onnx(random_network, path)
    assert [p.name for p in tmp_path.iterdir()] == ["old.onnx"]
    assert path.read_bytes() == b"old"


def test_bad_checkpoint_is_refused(tmp_path):
    (tmp_path / "bad.pth").write_text("hello")
    with pytest.raises(InputError, match=r"bad\.pth"):
        export_onnx(tmp_path / "bad.pth", tmp_path / "bad.onnx")
    assert not (tmp_path / "bad.onnx").exists()
