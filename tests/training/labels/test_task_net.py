import zipfile

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.fit import load_landmark_basis
from training.labels import task_net
from training.labels.mediapipe_mirror import MIRROR
from training.labels.task_net import POSES, SIDE, Square, TaskNet, square_around


def test_mirror_table_is_its_own_inverse_and_that_of_the_face_model():
    assert (MIRROR[MIRROR] == np.arange(478)).all()
    mean = load_landmark_basis().mean
    away = np.linalg.norm(mean * [-1, 1, 1] - mean[MIRROR[:468]], axis=1)
    # The model places nine points beside their true partners' mirror images.
    assert np.sort(away)[-10] < 0.01 and away.max() < 5


@pytest.mark.parametrize("roll", [0.0, 0.7, -2.5])
@pytest.mark.parametrize("mirrored", [False, True])
def test_square_maps_its_middle_and_upright_axis(roll, mirrored):
    square = Square(np.array([30.0, 40.0]), 64.0, roll)
    matrix = square.matrix(mirrored)
    assert matrix @ [SIDE / 2, SIDE / 2, 1] == pytest.approx([30, 40])
    down = matrix[:, :2] @ [0, SIDE]
    assert down == pytest.approx([-64 * np.sin(roll), 64 * np.cos(roll)])
    assert np.linalg.det(matrix[:, :2]) * (-1 if mirrored else 1) > 0


@pytest.mark.parametrize("roll", [0.0, 1.2, -3.0])
def test_square_follows_a_rolled_face(roll):
    points = np.random.default_rng(0).uniform([0, 0], [60, 80], (478, 2))
    points[33], points[263] = (10, 30), (50, 30)
    points[0], points[1] = (0, 0), (60, 80)
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    square = square_around(points @ turn.T + [100, 50])
    assert square.side == pytest.approx(1.5 * 80)
    assert np.exp(1j * square.roll) == pytest.approx(np.exp(1j * roll))
    assert square.center == pytest.approx(turn @ [30, 40] + [100, 50])


class FindsBrightSpot:
    """Stands for the network: every point lies where the picture is brightest."""

    logit = 5.0

    def __init__(self):
        self.looks = 0

    def get_input_details(self):
        return [{"index": 0}]

    def get_output_details(self):
        return [{"index": 1}, {"index": 2}]

    def set_tensor(self, index, picture):
        self.picture = picture[0].sum(axis=2)

    def invoke(self):
        self.looks += 1

    def get_tensor(self, index):
        if index == 2:
            return np.array([[self.logit]], np.float32)
        weight = np.where(self.picture > 1, self.picture, 0)
        y, x = np.indices(weight.shape) + 0.5
        middle = [(weight * axis).sum() / weight.sum() for axis in (x, y)]
        # Two of the points span a square of a third of the picture.
        points = np.tile(np.array([*middle, 0.0]), (478, 1))
        points[33, 0] -= 42
        points[263, 0] += 42
        return points.astype(np.float32).reshape(1, 1, 1, -1)


@pytest.fixture
def network(monkeypatch):
    fake = FindsBrightSpot()
    monkeypatch.setattr(task_net, "open_network", lambda bundle, name="": fake)
    return fake


@pytest.mark.parametrize("views", [1, 2, 6, 2 * len(POSES)])
def test_every_view_finds_the_same_place(network, views, tmp_path):
    crop = np.zeros((168, 168, 3), np.uint8)
    cv2.circle(crop, (80, 95), 3, (255, 255, 255), -1)
    points = TaskNet(tmp_path, views)(crop)
    assert points.shape == (478, 3)
    # A pixel's center lies at .5.
    assert points[5, :2] == pytest.approx([80.5, 95.5], abs=0.15)
    assert network.looks == task_net.PASSES + (0 if views == 1 else views)


def test_no_face_is_no_points(network, tmp_path):
    network.logit = -5.0
    crop = np.full((168, 168, 3), 200, np.uint8)
    assert np.isnan(TaskNet(tmp_path)(crop)).all()


@pytest.mark.parametrize("views", [0, 3, 20, -2])
def test_wrong_views_are_named(network, tmp_path, views):
    with pytest.raises(InputError, match="--views"):
        TaskNet(tmp_path, views)


def test_another_file_is_named(tmp_path):
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(InputError, match=r"none\.task"):
        TaskNet(tmp_path / "none.task")
    with zipfile.ZipFile(tmp_path / "other.task", "w") as archive:
        archive.writestr("face_detector.tflite", b"")
    with pytest.raises(InputError, match=r"other\.task"):
        TaskNet(tmp_path / "other.task")


def test_real_network_marks_a_mirrored_face_alike(shared):
    pytest.importorskip("ai_edge_litert")
    net = TaskNet(shared / "teachers/face_landmarker.task", 1)
    picture = cv2.imread(str(shared / "upstream/images/emma.jpg"))
    from FaceBoxes.detector import FaceBoxes
    from tddfa.roi import crop_img, parse_roi_box_from_bbox

    roi = np.array(parse_roi_box_from_bbox(FaceBoxes()(picture)[0]))
    grown = 0.2 * (roi[2] - roi[0]) * np.array([-1, -1, 1, 1])
    crop = cv2.resize(crop_img(picture, roi + grown), (168, 168))
    seen, other = net(crop), net(np.ascontiguousarray(crop[:, ::-1]))[MIRROR]
    other[:, 0] = 168 - other[:, 0]
    size = np.ptp(seen[:, 0])
    assert np.linalg.norm((seen - other)[:, :2], axis=1).mean() < 0.03 * size
