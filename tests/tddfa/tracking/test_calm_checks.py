"""When a face that is followed is checked: every frame in doubt, every fourth while all is calm."""

import numpy as np
import pytest

from tddfa.face_box import landmark_roi
from tddfa.io.pictures import imread
from tddfa.iou import iou_matrix
from tddfa.tracking.face_finder import FaceFinder
from tddfa.tracking.face_observer import FaceObserver, Plausibility
from tddfa.tracking.tracker import FaceTracker


class Counting:
    """A detector that counts how many crops it is asked about, and says what it is told to."""

    def __init__(self, detector, score=0.9):
        self.detector, self.score, self.crops = detector, score, []

    def detect(self, image, *, least_score=None, coarse=False):
        return self.detector.detect(image, least_score=least_score, coarse=coarse)

    def score_crops(self, crops, places):
        self.crops.append(len(crops))
        return np.full(len(crops), self.score, np.float32)


@pytest.fixture(scope="module")
def astronaut(project_root):
    return imread(project_root / "examples" / "inputs" / "astronaut.png")


@pytest.fixture
def counting(pipeline):
    return Counting(pipeline.detector)


def frames(astronaut, count, step):
    wide = np.pad(astronaut, ((0, 0), (200, 200), (0, 0)), mode="edge")
    return [
        np.ascontiguousarray(wide[:, step * number : step * number + 512])
        for number in range(count)
    ]


def checks(counting, pipeline, images):
    """Return in how many of the frames the check was asked."""
    tracker = FaceTracker(counting, pipeline.aligner)
    asked = []
    for image in images:
        counting.crops.clear()
        faces = tracker(image)
        asked.append(sum(counting.crops))
        assert len(faces) == 1
    return asked


def test_calm_face_is_checked_every_fourth_frame(counting, pipeline, astronaut):
    asked = checks(counting, pipeline, frames(astronaut, 30, 1))
    calm = asked[4:]
    assert set(calm) == {0, 1} and calm.count(1) <= 8
    assert all(any(calm[k : k + 4]) for k in range(len(calm) - 4))


def test_check_that_is_not_sure_is_asked_again(counting, pipeline, astronaut):
    counting.score = 0.5
    asked = checks(counting, pipeline, frames(astronaut, 12, 1))
    assert all(asked)


def test_face_that_moves_fast_is_checked(counting, pipeline, astronaut):
    tracker, fast = FaceTracker(counting, pipeline.aligner), []
    for image in frames(astronaut, 10, 40):
        counting.crops.clear()
        (face,) = tracker(image)
        overlap = iou_matrix([face.roi_box], [landmark_roi(face.landmarks)])[0, 0]
        if overlap < Plausibility.calm_overlap:
            fast.append(bool(counting.crops))
    assert len(fast) >= 3 and all(fast)


def test_face_that_is_known_and_calm_needs_no_check(counting, pipeline, astronaut):
    observer = FaceObserver(FaceFinder(counting), pipeline.aligner)
    (first,) = FaceTracker(counting, pipeline.aligner)(astronaut)
    roi = first.roi_box
    counting.crops.clear()
    (known,) = observer(astronaut, [roi], known=[0.8])
    assert counting.crops == [] and known.seen and not known.checked and known.face.score == 0.8
    (asked,) = observer(astronaut, [roi], known=[None])
    assert counting.crops == [1] and asked.checked
    np.testing.assert_array_equal(asked.face.landmarks, known.face.landmarks)
    away = [edge + 0.2 * (roi[2] - roi[0]) for edge in roi]
    (moved,) = observer(astronaut, [away], known=[0.8])
    assert moved.checked
    # Of several, those alone that are due.
    counting.crops.clear()
    found = observer(astronaut, [roi, roi, roi], known=[0.8, None, 0.8])
    assert counting.crops == [1] and [item.checked for item in found] == [False, True, False]


def test_track_whose_face_vanishes_ends_soon(counting, pipeline, astronaut):
    """The check says no: at the latest in the fourth frame the detector is asked, and ends it."""
    images = frames(astronaut, 12, 1)
    tracker = FaceTracker(counting, pipeline.aligner)
    for image in images:
        tracker(image)
    counting.score = 0.0
    gray = np.full_like(images[-1], 128)
    gray[::2] = images[-1][::2] // 8 + 112  # little is left of the face, and the shot goes on
    seen = [len(tracker(gray)) for _ in range(8)]
    assert seen[-1] == 0
