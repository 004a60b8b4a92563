"""Where MediaPipe's landmark network looks first, by the bundle's own detector."""

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from training import mediapipe_points
from training.labels import task_detector
from training.labels.task_detector import TaskDetector, anchors
from training.labels.task_net import TaskNet


class SeesOne:
    """Stands for the network: one anchor's face, given in its terms."""

    def __init__(self, anchor, logit, answer):
        self.boxes = np.zeros((1, 896, 16), np.float32)
        self.boxes[0, anchor] = answer
        self.scores = np.full((1, 896, 1), -9, np.float32)
        self.scores[0, anchor] = logit

    def get_input_details(self):
        return [{"index": 0}]

    def get_output_details(self):
        return [{"index": 2, "shape": (1, 896, 1)}, {"index": 1, "shape": (1, 896, 16)}]

    def set_tensor(self, index, picture):
        assert picture.shape == (1, 128, 128, 3) and np.abs(picture).max() <= 1

    def invoke(self):
        pass

    def get_tensor(self, index):
        return self.boxes if index == 1 else self.scores


def test_anchors_cover_the_picture_evenly():
    found = anchors()
    assert found.shape == (896, 2)
    assert found[0] == pytest.approx([0.5 / 16] * 2)
    assert found[2] == pytest.approx([1.5 / 16, 0.5 / 16])  # two a cell, row by row
    assert found[-1] == pytest.approx([7.5 / 8] * 2)
    assert found.mean(axis=0) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("shape", [(168, 168), (100, 200), (64, 32)])
def test_box_becomes_an_upright_square_in_the_crop(monkeypatch, shape):
    # An anchor of the coarse grid in the middle; the box is moved by (8, -4), 32 x 40 px of 128.
    anchor = 512 + 6 * (4 * 8 + 4)
    answer = np.zeros(16, np.float32)
    answer[:4] = 8, -4, 32, 40
    answer[4:8] = -6, -10, 6, 2  # the eyes lie on a slope of 45 degrees
    network = SeesOne(anchor, 3.0, answer)
    monkeypatch.setattr(task_detector, "open_network", lambda bundle, name: network)
    square = TaskDetector(None)(np.zeros((*shape, 3), np.uint8))
    side = max(shape)
    border = (side - np.array(shape[::-1])) // 2
    expected = (np.array([4.5 / 8, 4.5 / 8]) + np.array([8, -4]) / 128) * side - border
    assert square.center == pytest.approx(expected)
    assert square.side == pytest.approx(1.5 * 40 / 128 * side)
    assert square.roll == pytest.approx(np.pi / 4)


def test_no_face_is_an_answer(monkeypatch):
    network = SeesOne(0, -1.0, np.zeros(16))
    monkeypatch.setattr(task_detector, "open_network", lambda bundle, name: network)
    assert TaskDetector(None)(np.zeros((9, 9, 3), np.uint8)) is None


def test_own_detector_belongs_to_the_task():
    with pytest.raises(InputError, match="--own-detector: expected --task"):
        mediapipe_points.main(["crops", "--out", "points", "--own-detector"])


def test_real_detector_needs_no_middle(shared):
    pytest.importorskip("ai_edge_litert")
    bundle = shared / "teachers/face_landmarker.task"
    picture = cv2.imread("examples/inputs/astronaut.png")
    net = TaskNet(bundle, 1, TaskDetector(bundle))
    points = net(picture)[:, :2]
    assert np.isfinite(points).all()
    # The face is the size of a sixth of the picture, left of its middle, high up.
    assert points.mean(axis=0) == pytest.approx([225, 130], abs=12)
    assert np.isnan(net(np.zeros((90, 90, 3), np.uint8))).all()
