import numpy as np
import pytest

from tddfa import FaceAligner
from tddfa.detector import FunctionDetector
from tddfa.io.pictures import imread
from tddfa.tracking.face_finder import FaceFinder
from tddfa.tracking.lying_search import LyingSearch
from tddfa.tracking.settings import TrackerSettings
from tddfa.tracking.tracker import FaceTracker

FRAME = np.zeros((90, 120, 3), np.uint8)


class Counting:
    """Sees a face with the given score wherever the marked pixel is at the given corner."""

    def __init__(self, scores):
        self.scores, self.searched = scores, 0

    def __call__(self, image):
        self.searched += 1
        corners = {(0, 0): 0, (-1, 0): 1, (-1, -1): 2, (0, -1): 3}
        (quarters,) = [k for at, k in corners.items() if image[(*at, 0)] == 255]
        score = self.scores.get(quarters)
        rows = [] if score is None else [[10, 10, 40, 50, score]]
        return np.array(rows, np.float32).reshape(-1, 5)


def search(scores):
    frame = FRAME.copy()
    frame[0, 0] = 255  # np.rot90 takes it to the next corner, counterclockwise
    detector = Counting(scores)
    return LyingSearch(FaceFinder(FunctionDetector(detector))), frame, detector


def test_frames_without_a_face_are_searched_once_more_each():
    lying, frame, detector = search({})
    for _ in range(6):
        assert lying(frame).shape == (0, 5)
    assert detector.searched == 6


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_within_three_searches_every_way_is_tried(quarters):
    lying, frame, detector = search({quarters: 0.95})
    assert any(len(lying(frame)) for _ in range(3))
    assert detector.searched <= 3 + 1  # what is found is looked at from the other side


def test_a_false_find_does_not_keep_others_from_their_turn():
    lying, frame, _ = search({1: 0.95, 2: 0.99})
    found = [lying(frame) for _ in range(3)]
    assert {round(float(boxes[0, 4]), 2) for boxes in found if len(boxes)} == {0.95, 0.99}


def test_what_is_not_clear_is_none():
    lying, frame, _ = search({1: 0.89, 2: 0.5, 3: 0.9})
    assert [len(lying(frame)) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("scores", "score"), [({1: 0.92, 3: 0.99}, 0.99), ({1: 0.99, 3: 0.92}, 0.99)]
)
def test_a_face_seen_upside_down_is_looked_at_from_the_other_side(scores, score):
    lying, frame, _ = search(scores)
    for _ in range(2):
        assert lying(frame)[0, 4] == pytest.approx(score)


@pytest.fixture(scope="module")
def portrait(project_root):
    return imread(project_root / "examples" / "inputs" / "astronaut.png")


@pytest.fixture(scope="module")
def networks():
    return FaceAligner(tracking_only=True, threads=1)


def followed(networks, portrait, quarters, **settings):
    tracker = FaceTracker(
        networks.tracking_detector, networks.aligner, TrackerSettings(**settings), networks.check
    )
    frame = np.ascontiguousarray(np.rot90(portrait, quarters))
    return [face for _ in range(12) for face in tracker(frame)]


@pytest.mark.parametrize(("quarters", "roll"), [(0, 0), (1, 90), (2, 180), (3, -90)])
def test_a_video_that_lies_is_followed(networks, portrait, quarters, roll):
    faces = followed(networks, portrait, quarters)
    assert {face.track_id for face in faces} == {1} and len(faces) >= 6
    away = (faces[-1].pose.roll - roll + 180) % 360 - 180
    assert abs(away) < 12
    # The landmarks are those of the upright portrait, turned.
    (upright,) = {id(f): f for f in followed(networks, portrait, 0)[-1:]}.values()
    x, y = upright.landmarks[:2]
    size = portrait.shape[0] - 1
    expected = [(x, y), (y, size - x), (size - x, size - y), (size - y, x)][quarters]
    away = np.hypot(*(faces[-1].landmarks[:2] - np.stack(expected))).mean()
    assert away < 0.05 * np.ptp(x)


@pytest.mark.parametrize(("quarters", "roll"), [(1, 90), (2, 180), (3, -90)])
def test_everybody_in_a_video_that_lies_is_followed(networks, portrait, quarters, roll):
    pair = np.concatenate([portrait[:400, 60:460], np.zeros_like(portrait[:400, :40])] * 2, axis=1)
    faces = followed(networks, pair, quarters)
    assert {face.track_id for face in faces} == {1, 2}
    away = [(face.pose.roll - roll + 180) % 360 - 180 for face in faces]
    assert np.abs(away).max() < 20


@pytest.mark.parametrize(("upright", "checked"), [(False, True), (True, False)])
def test_what_nobody_asks_for_or_can_tell_is_not_searched(networks, portrait, upright, checked):
    tracker = FaceTracker(
        networks.tracking_detector,
        networks.aligner,
        TrackerSettings(upright=upright),
        networks.check if checked else None,
    )
    tracker._lying = None  # a call would raise
    lying = np.ascontiguousarray(np.rot90(portrait))
    assert all(abs(face.pose.roll) < 90 for _ in range(6) for face in tracker(lying))
