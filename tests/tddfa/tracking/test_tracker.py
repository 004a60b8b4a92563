"""The tracker's decisions, in a made-up world where finding a face is exact.

Every frame's first pixels hold its number; the world says where faces are at that time. The fake
observer sees a face if the ROI covers it well enough, and what is nearest otherwise.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from tddfa.detector import DetectorBase
from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.face_box import face_boxes_of, landmark_roi
from tddfa.roi import parse_roi_box_from_bbox
from tddfa.tracking.face_observer import Observation, Plausibility
from tddfa.tracking.tracker import FaceTracker, TrackerSettings

HEIGHT, WIDTH = 360, 640
# A face of unit size around the origin: its square is [-0.5, 0.5] in both directions.
UNIT = np.stack([*np.meshgrid(np.linspace(-0.5, 0.5, 17), np.linspace(-0.5, 0.5, 4))]).reshape(
    2, 68
)


class NoDetector(DetectorBase):
    def detect(self, image, *, least_score=None, coarse=False):
        raise AssertionError("the made-up world needs no network")


@dataclass
class World:
    """Faces by frame: name -> (x, y, size)."""

    frames: list[dict]
    ghosts: dict = field(default_factory=dict)  # frame -> boxes (n, 5) that show no face
    broken: dict = field(default_factory=dict)  # frame -> landmarks for every track
    blind: frozenset = frozenset()  # frames in which the crop check fails
    detected: list = field(default_factory=list)
    batches: list = field(default_factory=list)
    shots: tuple = ()
    steady: bool = False  # nothing moves but the faces, which are light squares
    parts: list = field(default_factory=list)  # of pictures, searched for new faces
    check: None = None

    def image(self, number):
        shot = sum(number >= cut for cut in self.shots)
        rng = np.random.default_rng(shot)
        base = np.kron(rng.integers(0, 255, (9, 16, 3)), np.ones((40, 40, 1)))
        image = np.roll(base, 0 if self.steady else 3 * number, axis=1).astype(np.uint8)
        for x, y, size in self.frames[number].values() if self.steady else ():
            half = size // 2
            image[y - half : y + half, x - half : x + half] = 250
        image[0, 0] = number % 256, number // 256, 0
        return image

    @staticmethod
    def number(image):
        return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])

    def landmarks(self, place):
        x, y, size = place
        points = np.vstack([UNIT * size + [[x], [y]], np.zeros((1, 68))])
        return points.astype(np.float32)

    def detect(self, image, *, coarse=False):
        number = self.number(image)
        self.detected.append(number)
        rois = [landmark_roi(self.landmarks(p)) for p in self.frames[number].values()]
        boxes = np.c_[face_boxes_of(rois), np.full(len(rois), 0.9)].reshape(-1, 5)
        return np.vstack([boxes, *self.ghosts.get(number, [])]).astype(np.float32)

    def detect_in(self, image, part, *, coarse=False):
        self.parts.append(part)
        left, top, right, bottom = part
        boxes = self.detect(image, coarse=coarse)
        x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
        return boxes[(left <= x) & (x < right) & (top <= y) & (y < bottom)]

    def roi_boxes(self, image, boxes):
        return [parse_roi_box_from_bbox(box) for box in boxes]

    def align(self, image, rois):
        return [(o.face.param, o.face.landmarks) for o in self(image, rois)]

    def __call__(self, image, rois, angles=None, known=None):
        number = self.number(image)
        self.batches.append(len(rois))
        seen = []
        for roi in rois:
            center = np.array([(roi[0] + roi[2]) / 2, (roi[1] + roi[3]) / 2])
            side = roi[2] - roi[0]
            best, points = np.inf, self.landmarks((*center, side / 1.6))
            for place in self.frames[number].values():
                gap = float(np.hypot(*(np.array(place[:2]) - center))) / side
                if gap < min(best, 0.5):
                    best, points = gap, self.landmarks(place)
            if number in self.broken:
                points = self.broken[number]
            found = landmark_roi(points)
            plausible = Plausibility().holds(roi, found, np.zeros(62, np.float32), image)
            score = 0.95 if best < 0.5 and number not in self.blind else 0.0
            param = np.zeros(62, np.float32)
            face = Face(score, list(roi), param, points)
            seen.append(Observation(face, plausible, score > 0.5))
        return seen


def run(world, **settings):
    """Return (id -> frames, tracker, every frame's faces)."""
    tracker = FaceTracker(NoDetector(), None, TrackerSettings(**settings))
    tracker.finder = tracker.observer = world
    tracks, faces = {}, []
    for number in range(len(world.frames)):
        faces.append(tracker(world.image(number)))
        for face in faces[-1]:
            if face.confirmed:
                tracks.setdefault(face.track_id, []).append(number)
            assert 0 <= face.score <= 1
            assert np.isfinite(face.landmarks).all()
    return tracks, tracker, faces


def still(count, **places):
    return [dict(places) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, 30])
def test_no_face_at_all(count):
    tracks, tracker, faces = run(World(still(count)))
    assert tracks == {} and faces == [[]] * count
    assert tracker.detections >= 1


def test_first_frames_without_a_face():
    tracks, *_ = run(World(still(7) + still(20, a=(300, 180, 90))))
    assert list(tracks) == [1]
    assert min(tracks[1]) <= 7 + 4
    assert tracks[1] == list(range(min(tracks[1]), 27))


def test_one_face_is_confirmed_by_its_second_frame():
    _, _, faces = run(World(still(3, a=(300, 180, 90))))
    assert [[face.confirmed for face in frame] for frame in faces] == [[False], [True], [True]]


def test_many_faces_keep_their_ids_and_share_one_batch():
    places = {str(i): (60 + 70 * i, 100 + 20 * (i % 2), 50) for i in range(8)}
    world = World([{k: (x + t, y, s) for k, (x, y, s) in places.items()} for t in range(40)])
    tracks, *_ = run(world)
    assert len(tracks) == 8
    assert all(frames == list(range(1, 40)) for frames in tracks.values())
    assert max(world.batches) == 8 and world.batches.count(8) >= 39


def test_max_faces_takes_the_largest():
    world = World(still(20, small=(100, 100, 50), large=(400, 200, 120)))
    tracks, _, faces = run(world, max_faces=1)
    assert len(tracks) == 1
    assert abs(faces[-1][0].landmarks[0].mean() - 400) < 1


@pytest.mark.parametrize("gap", [1, 3, 6, 10])
def test_face_that_returns_keeps_its_id(gap):
    here = still(12, a=(300, 180, 90))
    tracks, *_ = run(World(here + still(gap) + here))
    assert list(tracks) == [1]
    returned = min(number for number in tracks[1] if number >= 12)
    assert returned <= 12 + gap + 10
    assert not set(range(12, 12 + gap)) & set(tracks[1])


def test_face_that_moved_on_while_it_was_hidden_keeps_its_id():
    moving = [{"a": (100 + 6 * t, 180, 90)} for t in range(60)]
    for t in range(20, 26):
        moving[t] = {}
    tracks, *_ = run(World(moving))
    assert list(tracks) == [1]
    assert set(range(36, 60)) <= set(tracks[1])


def test_face_that_returns_much_later_is_a_new_one():
    here = still(12, a=(300, 180, 90))
    tracks, *_ = run(World(here + still(60) + here))
    assert list(tracks) == [1, 2]


def test_fast_face_is_followed():
    moving = [{"a": (80 + 20 * t, 180, 90)} for t in range(25)]
    tracks, *_ = run(World(moving))
    assert list(tracks) == [1] and tracks[1] == list(range(1, 25))


@pytest.mark.parametrize("speed", [5, 9, 15])
def test_crossing_faces_keep_their_ids(speed):
    """The larger face passes in front; while both are in one place the other one is not seen."""
    frames = []
    for t in range(480 // speed):
        front, back = 80 + speed * t, 560 - speed * t
        places = {"front": (front, 180, 100)}
        if abs(front - back) > 60:
            places["back"] = (back, 180, 80)
        frames.append(places)
    _, _, faces = run(World(frames))
    before = {face.track_id: face.landmarks[0].mean() for face in faces[4]}
    after = {face.track_id: face.landmarks[0].mean() for face in faces[-1]}
    assert set(before) == {1, 2}
    assert set(after) <= {1, 2} and after
    for number, x in after.items():
        assert (x > before[number]) == (before[number] < 320), "ids have been exchanged"


def test_two_tracks_never_sit_on_one_face():
    """Both faces run into one place and only one goes on."""
    frames = [{"a": (200 + 4 * t, 180, 90), "b": (440 - 4 * t, 180, 90)} for t in range(29)]
    frames += still(20, a=(318, 180, 90))
    _, _, faces = run(World(frames))
    assert len(faces[-1]) == 1


def test_cut_ends_all_tracks():
    world = World(still(30, a=(300, 180, 90)), shots=(15,))
    tracks, *_ = run(world)
    assert tracks == {1: list(range(1, 15)), 2: list(range(16, 30))}
    assert 15 in world.detected


def test_no_track_survives_a_cut_onto_no_face():
    world = World(still(15, a=(300, 180, 90)) + still(15), shots=(15,))
    tracks, _, faces = run(world)
    assert all(not found for found in faces[15:]) and list(tracks) == [1]


def test_false_alarm_of_one_frame_is_never_confirmed():
    ghost = np.float32([[100, 100, 160, 170, 0.9]])
    tracks, *_ = run(World(still(25), ghosts={0: [ghost], 9: [ghost]}))
    assert tracks == {}


@pytest.mark.parametrize(
    "points",
    [
        np.full((3, 68), np.nan, np.float32),
        np.full((3, 68), np.inf, np.float32),
        np.zeros((3, 68), np.float32),
        np.vstack([UNIT * 1e6, UNIT[:1]]).astype(np.float32),
        np.vstack([UNIT * 80 + 5000, UNIT[:1]]).astype(np.float32),
        np.vstack([UNIT * 80 - [[400], [0]], UNIT[:1]]).astype(np.float32),
    ],
    ids=["nan", "infinite", "a point", "huge", "outside", "left of the picture"],
)
def test_broken_landmarks_are_not_taken_over(points):
    world = World(still(20, a=(300, 180, 90)), broken={8: points})
    tracks, tracker, _ = run(world)
    assert list(tracks) == [1]
    assert 8 not in tracks[1] and set(range(12, 20)) <= set(tracks[1])
    for track in tracker._tracks:
        side = track.roi_box[2] - track.roi_box[0]
        assert np.isfinite(track.roi_box).all() and side < 2 * WIDTH


def test_growing_face_ends_before_its_roi_leaves_all_bounds():
    world = World([{"a": (320, 180, 60 * 1.12**t)} for t in range(60)])
    _, _, faces = run(world)
    assert all(np.ptp(f.roi_box[::2]) <= 2 * WIDTH for found in faces for f in found)


def test_detector_vouches_for_a_face_that_the_check_cannot_see():
    world = World(still(40, a=(300, 180, 90)), blind=frozenset(range(5, 40)))
    tracks, tracker, _ = run(world)
    assert tracks == {1: list(range(1, 40))}
    assert tracker.detections < 40, "the cheap check was to spare most searches"


def test_neither_check_nor_detector_sees_it():
    world = World(still(10, a=(300, 180, 90)) + still(20), blind=frozenset(range(10, 30)))
    tracks, *_ = run(world)
    assert max(tracks[1]) < 12


@pytest.mark.parametrize("every", [1, 5, 10])
def test_picture_is_searched_every_so_many_frames(every):
    world = World(still(41, a=(300, 180, 90)))
    run(world, detect_every=every)
    assert max(np.diff(world.detected)) <= every
    assert len(world.detected) <= 41 / every + 3


def test_new_face_is_found_while_another_is_followed():
    frames = still(7, a=(150, 180, 90)) + still(20, a=(150, 180, 90), b=(450, 180, 90))
    tracks, *_ = run(World(frames))
    assert list(tracks) == [1, 2] and min(tracks[2]) <= 7 + 16


@pytest.mark.parametrize("arrival", [7, 20, 33, 61])
def test_new_face_before_a_still_scene_is_found_as_soon(arrival):
    """Only what has changed is searched, and a face that comes is a change."""
    here = still(arrival, a=(150, 180, 90))
    world = World(here + still(32, a=(150, 180, 90), b=(450, 180, 90)), steady=True)
    tracks, *_ = run(world)
    assert list(tracks) == [1, 2] and min(tracks[2]) <= arrival + 16
    if arrival > 30:  # before, either kind of search is the first one
        assert any(part[2] - part[0] < WIDTH for part in world.parts)


def test_still_scene_is_searched_now_and_then():
    world = World(still(200, a=(150, 180, 90)), steady=True)
    _, tracker, _ = run(world)
    assert 3 <= len(world.parts) <= 6
    assert set(world.parts) == {(0, 0, WIDTH, HEIGHT)}
    assert tracker.detections <= 9


def test_face_that_was_lost_before_a_still_scene_is_searched_everywhere():
    gone = still(40, a=(150, 180, 90))
    world = World(still(40, a=(150, 180, 90), b=(450, 180, 90)) + gone, steady=True)
    run(world)
    after = [number for number in world.detected if number >= 56]
    assert after and (0, 0, WIDTH, HEIGHT) in world.parts[-3:]


def test_change_of_picture_size_begins_anew():
    world = World(still(4, a=(100, 100, 60)))
    tracker = FaceTracker(NoDetector(), None)
    tracker.finder = tracker.observer = world
    first = tracker(world.image(0))
    second = tracker(np.ascontiguousarray(world.image(1)[:300]))
    assert tracker.cut and first[0].track_id != second[0].track_id


@pytest.mark.parametrize(
    "settings", [{"detect_every": 0}, {"birth": 0}, {"death": -1}, {"max_faces": 0}, {"high": 0.0}]
)
def test_bad_settings(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        TrackerSettings(**settings)
