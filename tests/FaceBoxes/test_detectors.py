"""Both detectors, from picture to boxes."""

import logging
import subprocess
import sys

import cv2
import numpy as np
import onnx
import pytest
import torch

from FaceBoxes.detector import FaceBoxes
from FaceBoxes.onnx_detector import FaceBoxes_ONNX
from tddfa.errors import InputError

PICTURES = ["emma", "trump_hillary", "JianzhuGuo"]


@pytest.fixture(scope="session", params=["pytorch", "onnx"])
def make(request, checkpoint, onnx_file):
    """Constructor of one of the detectors with the reference's weights."""

    def construct(**arguments):
        if request.param == "pytorch":
            return FaceBoxes(checkpoint_fp=checkpoint, **arguments)
        return FaceBoxes_ONNX(onnx_fp=onnx_file, **arguments)

    return construct


@pytest.fixture(scope="session")
def detector(make):
    return make()


@pytest.fixture(scope="session")
def read(upstream):
    return lambda name: cv2.imread(str(upstream / "images" / f"{name}.jpg"))


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (1, 2), (1, 5000), (5000, 1), (2, 70_000), (31, 33), (9000, 12_000)],
    ids=str,
)
def test_pictures_without_a_face(detector, shape):
    boxes = detector(np.zeros((*shape, 3), np.uint8))
    assert boxes.shape == (0, 5) and boxes.dtype == np.float32


@pytest.mark.parametrize(
    "image",
    [
        None,
        np.zeros((90, 90), np.uint8),
        np.zeros((90, 90, 4), np.uint8),
        np.zeros((90, 90, 3), np.uint16),
        np.zeros((0, 90, 3), np.uint8),
    ],
)
def test_what_is_no_bgr_picture_is_refused(detector, image):
    with pytest.raises(InputError, match=r"^image: expected"):
        detector(image)


@pytest.mark.parametrize("name", PICTURES)
def test_boxes_of_the_reference(detector, read, golden, name):
    expected = np.load(golden / "faceboxes.npz")[name]
    boxes = detector(read(name))
    assert boxes.shape == expected.shape and boxes.dtype == np.float32
    np.testing.assert_allclose(boxes[:, :4], expected[:, :4], atol=0.01, rtol=0)
    np.testing.assert_allclose(boxes[:, 4], expected[:, 4], atol=1e-5, rtol=0)
    assert (np.diff(boxes[:, 4]) <= 0).all()


def test_picture_is_not_changed(detector, read):
    image = read("JianzhuGuo")
    kept = image.copy()
    detector(image)
    np.testing.assert_array_equal(image, kept)


def test_views_give_what_their_copies_give(detector, read):
    mirrored = read("JianzhuGuo")[:, ::-1]
    np.testing.assert_array_equal(detector(mirrored), detector(mirrored.copy()))
    assert len(detector(mirrored)) == 1


def test_boxes_follow_the_picture(detector, read):
    """A black border, as wide as the largest stride, shifts the boxes."""
    image = read("JianzhuGuo")[:, :400]
    moved = cv2.copyMakeBorder(image, 128, 0, 128, 0, cv2.BORDER_CONSTANT)
    expected = detector(image)[:, :4] + 128
    np.testing.assert_allclose(detector(moved)[:, :4], expected, atol=3)


def test_size_limits_change_the_scale_not_the_coordinates(make, read):
    image = read("JianzhuGuo")
    whole, half = make()(image), make(max_height=275, max_width=None)(image)
    assert len(whole) == len(half) == 1
    assert not np.array_equal(whole, half)
    np.testing.assert_allclose(half[:, :4], whole[:, :4], atol=12)
    np.testing.assert_array_equal(make(max_height=None, max_width=None)(image), whole)


def test_settings_reach_the_thresholds(make, read):
    image = read("emma")
    assert len(make(vis_thres=1.0)(image)) == 0
    assert len(make(keep_top_k=2)(image)) == 2
    assert len(make(nms_threshold=1.0)(image)) > 3
    with pytest.raises(InputError, match="top_k"):
        make(top_k=0)
    with pytest.raises(TypeError, match="top_q"):
        make(top_q=1)


def test_timer_logs(make, caplog):
    with caplog.at_level(logging.INFO, logger="FaceBoxes"):
        make()(np.zeros((40, 40, 3), np.uint8))
        assert not caplog.records
        make(timer_flag=True)(np.zeros((40, 40, 3), np.uint8))
    assert "network" in caplog.text


def test_both_detectors_agree(checkpoint, onnx_file, read):
    image = read("emma")
    boxes = FaceBoxes(checkpoint_fp=checkpoint)(image)
    np.testing.assert_allclose(FaceBoxes_ONNX(onnx_fp=onnx_file)(image), boxes, atol=0.001)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_matter(onnx_file, read, threads):
    image = read("JianzhuGuo")
    expected = FaceBoxes_ONNX(onnx_fp=onnx_file)(image)
    boxes = FaceBoxes_ONNX(onnx_fp=onnx_file, num_threads=threads)(image)
    np.testing.assert_allclose(boxes, expected, atol=0.001)


@pytest.mark.parametrize("layout", ["weights", "FaceBoxes/weights"])  # ours, the reference's
def test_default_weights_come_from_the_asset_folder(
    checkpoint, onnx_file, tmp_path, monkeypatch, layout
):
    monkeypatch.setattr("tddfa.assets.project_root", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)  # away from the weights that ship
    folder = tmp_path / "assets" / layout
    folder.mkdir(parents=True)
    (folder / "FaceBoxesProd.pth").write_bytes(checkpoint.read_bytes())
    (folder / "FaceBoxesProd.onnx").write_bytes(onnx_file.read_bytes())
    image = np.zeros((40, 40, 3), np.uint8)
    for detector in (FaceBoxes, FaceBoxes_ONNX):
        assert len(detector(assets=tmp_path / "assets")(image)) == 0
    with pytest.raises(InputError, match=r"FaceBoxesProd\.pth"):
        FaceBoxes(assets=tmp_path)


@pytest.mark.parametrize("device", ["cuda:99", "nonsense"])
def test_absent_devices_are_refused(checkpoint, device):
    with pytest.raises(InputError, match=f"^device: PyTorch has no '{device}' here$"):
        FaceBoxes(checkpoint_fp=checkpoint, device=device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_gpu_agrees_with_the_cpu(checkpoint, read):
    image = read("emma")
    boxes = FaceBoxes(checkpoint_fp=checkpoint, device="cuda")(image)
    np.testing.assert_allclose(boxes, FaceBoxes(checkpoint_fp=checkpoint)(image), atol=0.01)


@pytest.mark.parametrize("content", [b"", b"hello\n"])
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    path = tmp_path / "text.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"text\.onnx': expected an ONNX network") as error:
        FaceBoxes_ONNX(onnx_fp=path)
    assert "\n" not in str(error.value)


def test_another_onnx_network_is_refused(tmp_path):
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])],
        "other",
        [value("x", onnx.TensorProto.FLOAT, [1, 3, None, None])],
        [value("y", onnx.TensorProto.FLOAT, [1, 3, None, None])],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "o.onnx")
    with pytest.raises(InputError, match=r"o\.onnx: not a FaceBoxes network"):
        FaceBoxes_ONNX(onnx_fp=tmp_path / "o.onnx")


def test_network_that_loads_and_cannot_be_run(tmp_path):
    """A number among many was damaged: found by tests.fuzz."""
    value, helper = onnx.helper.make_tensor_value_info, onnx.helper
    shapes = {"loc": [1, 5, 4], "conf": [1, 5, 2]}
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", f"{name}_shape"], [name]) for name in shapes],
        "damaged",
        [value("x", onnx.TensorProto.FLOAT, [1, 3, None, None])],
        [value(n, onnx.TensorProto.FLOAT, [1, None, s[2]]) for n, s in shapes.items()],
        [onnx.numpy_helper.from_array(np.int64(s), f"{n}_shape") for n, s in shapes.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "d.onnx")
    detector = FaceBoxes_ONNX(onnx_fp=tmp_path / "d.onnx")
    with pytest.raises(InputError, match=r"d\.onnx': the network fails on .*\(1, 3, 64, 64\)"):
        detector(np.zeros((64, 64, 3), np.uint8))


def test_missing_onnx_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent\.onnx"):
        FaceBoxes_ONNX(onnx_fp=tmp_path / "absent.onnx")


def test_unknown_provider_and_thread_count_are_refused(onnx_file):
    with pytest.raises(InputError, match=r"^providers: 'Abacus' is not among"):
        FaceBoxes_ONNX(onnx_fp=onnx_file, providers=["Abacus"])
    with pytest.raises(InputError, match=r"^num_threads: expected an integer from 1 up"):
        FaceBoxes_ONNX(onnx_fp=onnx_file, num_threads=0)


def run_python(code, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_onnx_path_imports_no_heavy_package(project_root, onnx_file, upstream):
    code = f"""
import sys, cv2, FaceBoxes
from FaceBoxes.onnx_detector import FaceBoxes_ONNX
image = cv2.imread({str(upstream / "images" / "JianzhuGuo.jpg")!r})
assert len(FaceBoxes_ONNX(onnx_fp={str(onnx_file)!r})(image)) == 1
print({{"torch", "matplotlib", "scipy", "skimage", "onnx"}} & set(sys.modules) or "none")
"""
    assert run_python(code, project_root) == "none"


@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
def test_memory_for_a_huge_picture_is_bounded(project_root, onnx_file):
    code = f"""
import resource, numpy as np
from FaceBoxes.onnx_detector import FaceBoxes_ONNX
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
detector = FaceBoxes_ONNX(onnx_fp={str(onnx_file)!r})
image = np.full((9000, 12000, 3), 127, np.uint8)
detector(np.full((720, 1080, 3), 127, np.uint8))
before = peak()
assert len(detector(image)) == 0
print(peak() - before)
"""
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(run_python(code, project_root)) * unit < 20e6  # the picture itself: 324e6
