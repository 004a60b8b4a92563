"""`FaceBoxes.utils` and `FaceBoxes.models`: arithmetic of boxes, priors, network, weights."""

import numpy as np
import pytest
import torch

from FaceBoxes.box_coding import decode as strict_decode
from FaceBoxes.models.faceboxes import BasicConv2d, CRelu, FaceBoxesNet
from FaceBoxes.network import load_network
from FaceBoxes.utils import box_utils
from FaceBoxes.utils.config import cfg
from FaceBoxes.utils.functions import check_keys, load_model, remove_prefix
from FaceBoxes.utils.nms.cpu_nms import cpu_nms
from FaceBoxes.utils.nms.py_cpu_nms import py_cpu_nms
from FaceBoxes.utils.nms_wrapper import nms
from FaceBoxes.utils.prior_box import PriorBox
from FaceBoxes.utils.timer import Timer
from tddfa.errors import InputError

RNG = np.random.default_rng(5)


def random_corners(n):
    low = RNG.uniform(0, 0.6, (n, 2))
    return np.hstack([low, low + RNG.uniform(0.1, 0.4, (n, 2))]).astype(np.float32)


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy], ids=["array", "tensor"])
def test_forms_and_codes_are_inverse(convert):
    corners, priors = convert(random_corners(30)), convert(random_corners(30))
    centers = box_utils.center_size(corners)
    assert type(centers) is type(corners)
    np.testing.assert_allclose(box_utils.point_form(centers), corners, atol=1e-6)
    priors = box_utils.center_size(priors)
    offsets = box_utils.encode(corners, priors, cfg["variance"])
    decoded = box_utils.decode(offsets, priors, cfg["variance"])
    np.testing.assert_allclose(decoded, corners, atol=1e-5)
    np.testing.assert_allclose(decoded, strict_decode(offsets, priors), atol=1e-5)


def test_overlaps():
    a = np.array([[0, 0, 2, 2], [4, 4, 6, 6]], np.float32)
    b = np.array([[1, 0, 3, 2], [0, 0, 2, 2], [9, 9, 10, 10]], np.float32)
    expected = [[1 / 3, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(box_utils.matrix_iou(a, b), expected, atol=1e-6)
    np.testing.assert_allclose(box_utils.jaccard(torch.tensor(a), torch.tensor(b)), expected)
    np.testing.assert_allclose(box_utils.matrix_iof(a, b), [[0.5, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(
        box_utils.intersect(torch.tensor(a), torch.tensor(b)), [[2, 4, 0], [0, 0, 0]]
    )


def test_match():
    priors = PriorBox(cfg, image_size=(256, 256)).forward()
    truths = torch.tensor([[0.1, 0.1, 0.35, 0.35], [0.5, 0.5, 0.95, 0.95]])
    loc = torch.full((2, len(priors), 4), 9.0)
    conf = torch.full((2, len(priors)), -1, dtype=torch.long)
    box_utils.match(0.35, truths, priors, cfg["variance"], torch.tensor([1, 1]), loc, conf, 1)
    assert (loc[0] == 9).all() and (conf[0] == -1).all()
    positive = conf[1] == 1
    assert 2 <= positive.sum() < len(priors) and set(conf[1].tolist()) == {0, 1}
    found = box_utils.decode(loc[1][positive], priors[positive], cfg["variance"])
    distances = (found[:, None] - truths[None]).abs().amax(dim=2)
    assert float(distances.amin(dim=1).max()) < 1e-5
    assert set(distances.argmin(dim=1).tolist()) == {0, 1}  # each box has a prior
    overlaps = box_utils.jaccard(truths, box_utils.point_form(priors)).amax(dim=0)
    assert bool(positive[overlaps >= 0.35].all())


def test_match_without_a_usable_prior():
    priors = PriorBox(cfg, image_size=(64, 64)).forward()
    loc, conf = torch.ones(1, len(priors), 4), torch.ones(1, len(priors))
    tiny = torch.tensor([[0.5, 0.5, 0.501, 0.501]])
    box_utils.match(0.35, tiny, priors, cfg["variance"], torch.tensor([1]), loc, conf, 0)
    assert not loc.any() and not conf.any()


def test_log_sum_exp():
    x = torch.tensor([[1.0, 2.0], [1000.0, 1000.0]])
    expected = [[np.log(np.e + np.e**2)], [1000 + np.log(2)]]
    np.testing.assert_allclose(box_utils.log_sum_exp(x), expected, rtol=1e-6)


def test_suppression(golden):
    data = np.load(golden / "nms.npz")
    threshold = float(data["threshold"])
    kept = data[next(key for key in data.files if key not in ("dets", "threshold"))].tolist()
    for function in (nms, cpu_nms, py_cpu_nms):
        assert function(data["dets"], threshold) == kept
    assert nms(np.zeros((0, 5), np.float32), 0.3) == []


def test_suppression_of_tensors():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    keep, count = box_utils.nms(boxes, torch.tensor([0.5, 0.9, 0.7]), overlap=0.5)
    assert keep[:count].tolist() == [1, 2]
    assert box_utils.nms(boxes[:0], torch.zeros(0))[1] == 0


@pytest.mark.parametrize("size", [(97, 131), (33, 500)])
def test_priors(golden, size):
    priors = PriorBox(cfg, image_size=size, phase="test").forward()
    data = np.load(golden / "priors.npz")
    expected = next(v for k, v in data.items() if all(str(side) in k for side in size))
    np.testing.assert_allclose(priors.numpy(), expected, atol=1e-6)
    np.testing.assert_array_equal(PriorBox(image_size=size).forward(), priors)
    np.testing.assert_array_equal(PriorBox(cfg, size, "train").forward(), priors)
    clipped = PriorBox(cfg | {"clip": True}, image_size=size).forward()
    assert float(clipped.min()) >= 0 and float(clipped.max()) <= 1


def test_priors_of_no_size():
    with pytest.raises(InputError, match="image_size"):
        PriorBox(cfg)


def test_network_under_the_old_name(checkpoint):
    network = load_model(FaceBoxesNet(phase="test", size=None, num_classes=2), checkpoint)
    picture = torch.rand(1, 3, 64, 96) * 255 - 110
    strict = load_network(checkpoint)
    network.eval()
    with torch.no_grad():
        for actual, expected in zip(network(picture), strict(picture), strict=True):
            torch.testing.assert_close(actual, expected)
        network.phase = "train"
        logits = network(picture)[1]
    torch.testing.assert_close(logits.softmax(dim=2), expected)
    with pytest.raises(ValueError, match="num_classes"):
        FaceBoxesNet(num_classes=3)


def test_parts_of_the_network():
    x = torch.randn(2, 3, 16, 16)
    unit = BasicConv2d(3, 8, kernel_size=3, stride=2, padding=1).eval()
    assert unit(x).shape == (2, 8, 8, 8)
    double = CRelu(3, 8, kernel_size=3, stride=1, padding=1).eval()
    y = double(x)
    assert y.shape == (2, 16, 16, 16) and (y >= 0).all()
    assert ((y[:, :8] > 0) & (y[:, 8:] > 0)).sum() == 0


def test_weights_of_something_else(tmp_path):
    network = FaceBoxesNet()
    torch.save({"other": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(InputError, match="found none"):
        load_model(network, tmp_path / "x.pth")
    wrong = {"module.conv1.conv.weight": torch.zeros(1, 1, 1, 1)}
    torch.save(wrong, tmp_path / "y.pth")
    with pytest.raises(InputError, match=r"y\.pth"):
        load_model(network, tmp_path / "y.pth")
    assert check_keys(network, network.state_dict())
    assert remove_prefix({"module.a": 1, "b": 2}, "module.") == {"a": 1, "b": 2}


def test_timer():
    timer = Timer()
    for _ in range(3):
        timer.tic()
        assert timer.toc() == pytest.approx(timer.total_time / timer.calls)
    timer.tic()
    assert timer.toc(average=False) == timer.diff
    timer.clear()
    assert timer.calls == 0 and timer.total_time == 0


def test_conversion(tmp_path):
    from FaceBoxes.onnx import convert_to_onnx
    from FaceBoxes.onnx_detector import FaceBoxes_ONNX

    written = convert_to_onnx(tmp_path / "x.onnx")
    boxes = FaceBoxes_ONNX(onnx_fp=written)(np.zeros((64, 64, 3), np.uint8))
    assert written == str(tmp_path / "x.onnx") and boxes.shape == (0, 5)
