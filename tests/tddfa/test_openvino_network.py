"""OpenVINO as a backend: the numbers of ONNX Runtime, and honest where it cannot be had."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from FaceBoxes.onnx_detector import FaceBoxes_ONNX
from tddfa.arguments import DEFAULT_CONFIG
from tddfa.commands import image as demo
from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.onnx_session import open_network
from tddfa.openvino_network import OpenVINONetwork


@pytest.fixture(scope="module")
def openvino():
    return pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def exact(openvino, project_root):
    return FaceAligner(project_root / DEFAULT_CONFIG, backend="openvino", precision="float32")


@pytest.fixture(scope="module")
def face(project_root):
    return cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))


@pytest.fixture
def network(project_root):
    return project_root / "weights" / "mb05_120x120.onnx"


def test_float32_agrees_with_onnx_runtime(exact, pipeline, face):
    (found,), (expected,) = exact(face), pipeline(face)
    np.testing.assert_allclose(found.box, expected.box, atol=0.01)
    np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=0.02)
    assert exact.aligner.session.precision == "float32"


def test_by_itself_it_is_near(openvino, project_root, pipeline, face):
    """In bfloat16, where the processor has it."""
    (found,) = FaceAligner(project_root / DEFAULT_CONFIG, backend="openvino")(face)
    (expected,) = pipeline(face)
    np.testing.assert_allclose(found.box, expected.box, atol=3)
    assert np.abs(found.landmarks - expected.landmarks)[:2].mean() < 0.5


@pytest.mark.parametrize("shape", [(1, 1), (31, 33), (97, 131), (525, 1080)])
def test_the_detector_takes_any_size(openvino, shape):
    images = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    detectors = [FaceBoxes_ONNX(backend=b, precision="float32") for b in ("openvino", "onnx")]
    found, expected = (d.forward(np.float32(images.transpose(2, 0, 1)[None])) for d in detectors)
    for first, second in zip(found, expected, strict=True):
        np.testing.assert_allclose(first, second, atol=2e-3)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_any_number_of_faces_is_one_batch(openvino, network, count):
    blob = np.random.default_rng(0).random((count, 3, 120, 120), np.float32)
    found, expected = (
        open_network(network, backend, precision="float32").run(None, {"input": blob})[0]
        for backend in ("openvino", "onnx")
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_inputs_and_outputs_are_described_alike(openvino, network):
    first, second = (open_network(network, backend) for backend in ("openvino", "onnx"))
    for get in ("get_inputs", "get_outputs"):
        (one,), (other,) = getattr(first, get)(), getattr(second, get)()
        assert one.name == other.name
        assert one.shape[1:] == other.shape[1:] and one.shape[0] is None


def test_threads_may_run_it_at_once(openvino, network):
    opened = OpenVINONetwork(network, num_threads=1, precision="float32")
    blobs = np.random.default_rng(0).random((24, 1, 3, 120, 120), np.float32)
    expected = [opened.run(None, {"input": blob})[0] for blob in blobs]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda blob: opened.run(None, {"input": blob})[0], blobs))
    np.testing.assert_array_equal(found, expected)


def test_results_stay_when_it_runs_again(openvino, network):
    opened = OpenVINONetwork(network)
    first = opened.run(None, {"input": np.zeros((1, 3, 120, 120), np.float32)})[0]
    kept = first.copy()
    opened.run(None, {"input": np.ones((1, 3, 120, 120), np.float32)})
    np.testing.assert_array_equal(first, kept)


def test_a_copy_runs_in_it_too(exact, face):
    (found,), (expected,) = pickle.loads(pickle.dumps(exact))(face), exact(face)
    np.testing.assert_array_equal(found.landmarks, expected.landmarks)


def test_bfloat16_is_refused_where_there_is_none(openvino, network, monkeypatch):
    monkeypatch.setattr("tddfa.openvino_network._has_bfloat16", lambda core: False)
    with pytest.raises(InputError, match="precision bfloat16: this processor"):
        OpenVINONetwork(network, precision="bfloat16")


def test_what_is_no_network_is_refused(openvino, tmp_path):
    (tmp_path / "x.onnx").write_text("text")
    with pytest.raises(InputError, match=r"x\.onnx': expected an ONNX network") as error:
        OpenVINONetwork(tmp_path / "x.onnx")
    assert "\n" not in str(error.value)


def test_threads_are_counted_from_one(openvino, network):
    with pytest.raises(InputError, match="num_threads"):
        OpenVINONetwork(network, num_threads=0)


def test_without_it_the_error_says_what_to_install(network, monkeypatch):
    monkeypatch.setattr("tddfa.optional.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install openvino"):
        open_network(network, "openvino")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "openvino", "--provider", "cuda"], "--provider cuda"),
        (["--backend", "openvino", "--mode", "gpu"], "openvino"),
        (["--backend", "openvino", "--precision", "int8"], "precision"),
        (["--onnx", "--precision", "bfloat16"], "precision"),
        (["--torch", "--precision", "int8"], "precision"),
    ],
)
def test_what_does_not_go_together_is_refused(project_root, tmp_path, arguments, message):
    picture = str(project_root / "examples" / "inputs" / "astronaut.png")
    with pytest.raises(InputError, match=message):
        demo.main(["-f", picture, "--out", str(tmp_path), *arguments])
