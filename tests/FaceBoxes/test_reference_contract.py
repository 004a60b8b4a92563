"""The detectors under the reference's names: lists of boxes."""

import copy
import importlib
import pickle

import cv2
import numpy as np
import pytest

from FaceBoxes import FaceBoxes
from FaceBoxes.FaceBoxes import viz_bbox
from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from tddfa.errors import InputError


@pytest.fixture(scope="module", params=["pytorch", "onnx"])
def make(request, checkpoint, onnx_file):
    def construct(**arguments):
        if request.param == "pytorch":
            return FaceBoxes(checkpoint_fp=checkpoint, **arguments)
        return FaceBoxes_ONNX(onnx_fp=onnx_file, **arguments)

    return construct


@pytest.fixture(scope="module")
def face_boxes(make):
    return make()


@pytest.fixture(scope="module")
def image(upstream):
    return cv2.imread(str(upstream / "images" / "trump_hillary.jpg"))


def test_class_and_module_of_one_name():
    module = importlib.import_module("FaceBoxes.FaceBoxes")
    assert module.FaceBoxes is FaceBoxes
    # What importing the module must not do: hide the class.
    package = importlib.import_module("FaceBoxes")
    assert package.FaceBoxes is FaceBoxes


def test_boxes_are_lists(face_boxes, image, golden):
    boxes = face_boxes(image)
    assert isinstance(boxes, list)
    for box in boxes:
        assert isinstance(box, list) and [type(value) for value in box] == [float] * 5
    expected = np.load(golden / "faceboxes.npz")["trump_hillary"]
    np.testing.assert_allclose(boxes, expected, atol=0.01)


def test_what_people_do_with_them(face_boxes, image):
    boxes = face_boxes(image)
    assert len(boxes + boxes) == 4
    boxes.sort(key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    boxes.append([0, 0, 10, 10, 1.0])
    x1, y1, x2, y2, score = boxes.pop()
    assert (x1, y1, x2, y2, score) == (0, 0, 10, 10, 1)
    assert boxes and max(boxes, key=lambda box: box[4])[4] > 0.9
    assert np.array(boxes).shape == (2, 5)


def test_no_face(face_boxes):
    boxes = face_boxes(np.zeros((90, 90, 3), np.uint8))
    assert boxes == [] and not boxes


def test_float_pictures(face_boxes, image):
    assert face_boxes(image.astype(np.float32)) == face_boxes(image)
    with pytest.raises(InputError, match=r"^image: expected"):
        face_boxes(image[..., 0])


def test_arguments(make, image):
    assert make(gpu_mode=False, gpu_id=0, timer_flag=True).timer_flag
    assert make(vis_thres=1.0)(image) == []


def test_constants_of_the_module(make, image, monkeypatch):
    for name in ("FaceBoxes", "FaceBoxes_ONNX"):
        module = importlib.import_module(f"FaceBoxes.{name}")
        monkeypatch.setattr(module, "vis_thres", 1.0)
        monkeypatch.setattr(module, "scale_flag", False)
    detector = make()
    assert detector(image) == []
    assert detector.settings.max_height is None


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(make, image, duplicate):
    detector = make(vis_thres=0.6)
    twin = duplicate(detector)
    assert twin(image) == detector(image)
    assert twin.settings == detector.settings


def test_network(checkpoint, onnx_file):
    import torch

    loc, conf = FaceBoxes(checkpoint_fp=checkpoint).net(torch.zeros(1, 3, 64, 64))
    assert loc.shape[2] == 4 and conf.shape[2] == 2
    assert FaceBoxes_ONNX(onnx_fp=onnx_file).session.get_inputs()
    with pytest.raises(AttributeError):
        FaceBoxes_ONNX(onnx_fp=onnx_file).net  # noqa: B018 (reading raises)


def test_viz_bbox(tmp_path):
    img = np.full((80, 190, 3), 50, np.uint8)
    viz_bbox(img, [[10, 20, 40, 60, 0.9], [150, 20, 180, 60, 0.3]], wfp=tmp_path / "out.png")
    assert img[20, 25].tolist() == [0, 0, 255]
    assert (img[:, 140:] == 50).all()
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "out.png")), img)


def test_viz_bbox_into_a_view_and_without_a_box(tmp_path):
    rgb = np.full((80, 90, 3), 50, np.uint8)
    viz_bbox(rgb[..., ::-1], [[10, 20, 40, 60, 0.9]], wfp=tmp_path / "out.png")
    assert rgb[20, 25].tolist() == [255, 0, 0]
    viz_bbox(rgb, [], wfp=tmp_path / "empty.png")
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "empty.png")), rgb)
