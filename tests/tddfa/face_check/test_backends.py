import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tddfa import load_config
from tddfa.checkpoints import save_checkpoint
from tddfa.errors import InputError
from tddfa.export_onnx import export_onnx
from tddfa.face_aligner import FaceAligner
from tddfa.face_check.build import build_face_check
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.face_check.network import FaceCheckNet
from tddfa.face_check.onnx_check import OnnxFaceCheck
from tddfa.face_check.torch_check import TorchFaceCheck
from tddfa.io.pictures import imread
from tddfa.runtime import Runtime


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("check") / "check.pth"
    save_checkpoint(path, FaceCheckNet().state_dict())
    export_onnx(path, path.with_suffix(".onnx"))
    return path


def test_both_give_the_same(checkpoint):
    crops = np.random.default_rng(0).normal(size=(70, 3, 120, 120)).astype(np.float32)
    first = TorchFaceCheck(checkpoint)(crops)
    second = OnnxFaceCheck(checkpoint.with_suffix(".onnx"))(crops)
    np.testing.assert_allclose(first.logit, second.logit, atol=1e-4)
    np.testing.assert_allclose(first.squares, second.squares, atol=1e-4)


def test_a_copy_opens_the_network_anew(checkpoint):
    check = OnnxFaceCheck(checkpoint.with_suffix(".onnx"))
    crops = np.ones((1, 3, 120, 120), np.float32)
    assert (copy.deepcopy(check).forward(crops) == check.forward(crops)).all()


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_a_configuration_names_it(checkpoint, backend):
    config = replace(load_config("configs/mb05_120x120.yml"), face_check_fp=str(checkpoint))
    aligner = FaceAligner(config, backend=backend)
    assert isinstance(aligner.detector, CheckedDetector)
    assert aligner.check is aligner.detector.check
    assert aligner.detector.settings.vis_thres == 0.5
    assert FaceAligner(config, backend=backend, upright=False).check is None


def test_without_the_key_there_is_none():
    config = replace(load_config("configs/mb05_120x120.yml"), face_check_fp=None)
    assert build_face_check(config, Runtime()) is None


def test_other_weights_are_refused(checkpoint):
    with pytest.raises(InputError, match="expected a face check"):
        OnnxFaceCheck(
            load_config("configs/mb05_120x120.yml").find("checkpoint_fp").with_suffix(".onnx")
        )
    with pytest.raises(InputError, match="expected the weights of a face check"):
        TorchFaceCheck(load_config("configs/mb05_120x120.yml").find("checkpoint_fp"))


class RollTold:
    """A check that knows by how much a picture was turned."""

    def __init__(self, degrees):
        self.degrees = degrees

    def turns(self, image, rois):
        return [self.degrees] * len(rois)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_face_turned_upright_is_found_as_it_lies(quarter):
    plain = imread("examples/inputs/astronaut.png")
    aligner = FaceAligner("configs/mb05_120x120.yml")
    (face,) = aligner.detect(plain)
    size = np.array(plain.shape[1::-1])
    turned = np.ascontiguousarray(np.rot90(plain, quarter))
    left, top, right, bottom = face.roi_box
    aligner.check = RollTold(90.0 * quarter if quarter < 3 else -90.0)
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    for _ in range(quarter):  # counterclockwise: x' = y, y' = width - x
        middle = np.array([middle[1], size[0] - middle[0]])
        size = size[::-1]
    side = face.roi_box[2] - face.roi_box[0]
    mean = side / 1.58
    box = [*(middle - mean / 2), *(middle + mean / 2)]
    box[1], box[3] = box[1] - 0.14 * mean, box[3] - 0.14 * mean
    (found,) = aligner.align(turned, [box])
    points, size = face.landmarks[:2].copy(), np.array(plain.shape[1::-1])
    for _ in range(quarter):
        points = np.stack([points[1], size[0] - 1 - points[0]])
        size = size[::-1]
    error = np.linalg.norm(found.landmarks[:2] - points, axis=0).mean() / side
    assert error < 0.02
