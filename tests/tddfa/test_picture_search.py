import numpy as np
import pytest

from FaceBoxes.settings import DetectorSettings
from tddfa.detector import DetectorBase, FunctionDetector
from tddfa.errors import InputError
from tddfa.face_check.check import FaceCheck
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.iou import iou_matrix
from tddfa.picture_search import find_faces
from tddfa.quarter_turns import turned_back
from tddfa.roi import parse_roi_box_from_bbox

HEIGHT, WIDTH = 300, 400
SIDE = 60


class Flags:
    """Detector of squares whose white half is their upper one; the other half is gray."""

    def __init__(self, score=0.9):
        self.score, self.searched = score, []

    def __call__(self, image):
        self.searched.append(image.shape[:2])
        rows = []
        for y, x in corners_of(image):
            square = image[y : y + SIDE, x : x + SIDE]
            if square[: SIDE // 2].min() > 200 > square[SIDE // 2 :].max():
                rows.append([x, y, x + SIDE, y + SIDE, self.score])
        return np.array(rows, np.float32).reshape(-1, 5)


def corners_of(image):
    lit = np.pad(image[..., 0] > 100, ((1, 0), (1, 0)))
    starts = lit[1:, 1:] & ~lit[:-1, 1:] & ~lit[1:, :-1]
    return np.argwhere(starts).tolist()


class Sure(FaceCheck):
    """Everything is a face, rolled by so much."""

    def __init__(self, roll=0.0, logit=2.0):
        self.roll, self.logit = np.radians(roll), logit

    def forward(self, crops):
        answers = np.zeros((len(crops), 6), np.float32)
        answers[:, :3] = self.logit, np.cos(self.roll), np.sin(self.roll)
        return answers


def picture(*places, shape=(HEIGHT, WIDTH)):
    """Draw squares at (x, y), each with its top after so many quarters counterclockwise."""
    image = np.zeros((*shape, 3), np.uint8)
    for x, y, quarters in places:
        flag = np.full((SIDE, SIDE, 3), 128, np.uint8)
        flag[: SIDE // 2] = 255
        image[y : y + SIDE, x : x + SIDE] = np.rot90(flag, quarters)
    return image


def test_nothing_is_an_answer():
    flags = Flags()
    assert find_faces(CheckedDetector(FunctionDetector(flags), Sure()), picture()).shape == (0, 5)
    halved, finer = (150, 200), (540, 720)
    assert flags.searched == [(300, 400), halved, (400, 300), (300, 400), (400, 300), finer]


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("place", [(0, 0), (100, 30), (WIDTH - SIDE, HEIGHT - SIDE)])
def test_a_face_is_found_however_the_picture_lies(quarters, place):
    flags = Flags()
    image = picture((*place, quarters))
    (face,) = find_faces(CheckedDetector(FunctionDetector(flags), Sure()), image)
    assert len(flags.searched) == (5 if quarters else 1)
    # The middle of the ROI keeps its place on the face, which the turned detector has seen.
    upright = np.rot90(image, -quarters)
    (seen,) = Flags()(np.ascontiguousarray(upright))
    roi, roi_seen = parse_roi_box_from_bbox(face), parse_roi_box_from_bbox(seen)
    column, row = ((roi_seen[i] + roi_seen[i + 2]) / 2 for i in (0, 1))
    height, width = upright.shape[:2]
    middle = {0: (column, row), 1: (row, width - column), 2: (width - column, height - row)}
    expected = middle.get(quarters, (height - row, column))
    np.testing.assert_allclose([(roi[0] + roi[2]) / 2, (roi[1] + roi[3]) / 2], expected, atol=0.6)
    assert roi[2] - roi[0] == roi_seen[2] - roi_seen[0]


def test_what_is_seen_turned_must_be_clear():
    image = picture((50, 50, 1))
    doubtful = CheckedDetector(FunctionDetector(Flags(0.6)), Sure(logit=1.0))
    assert 0.5 < doubtful.detect(picture((50, 50, 0)))[0, 4] < 0.9
    assert len(find_faces(doubtful, image)) == 0
    assert len(find_faces(CheckedDetector(FunctionDetector(Flags(0.9)), Sure()), image)) == 1


def test_without_a_check_or_where_it_is_not_asked_for_pictures_are_not_turned():
    for detector, turned in (
        (FunctionDetector(Flags()), True),
        (CheckedDetector(FunctionDetector(Flags()), Sure()), False),
    ):
        assert find_faces(detector, picture((50, 50, 2)), turned=turned).shape == (0, 5)


@pytest.mark.parametrize(("roll", "quarters"), [(90, 1), (-90, 3), (170, 2), (-135.1, 2)])
def test_a_rolled_face_says_how_the_picture_lies(roll, quarters):
    flags = Flags()
    image = picture((40, 40, 0), (200, 150, quarters))
    found = find_faces(CheckedDetector(FunctionDetector(flags), Sure(roll)), image)
    assert len(flags.searched) == 2 and len(found) == 2
    assert (np.diff(found[:, 4]) <= 0).all()
    wanted = [[40, 40, 100, 100], [200, 150, 260, 210]]
    assert (iou_matrix(wanted, found).max(axis=1) > 0.5).all()


def test_what_is_found_twice_is_one_face():
    checked = CheckedDetector(
        FunctionDetector(lambda image: [[100, 100, 160, 160, 0.9]]), Sure(180)
    )
    square = np.zeros((260, 260, 3), np.uint8)  # the box turned by a half is where it was
    assert len(find_faces(checked, square)) == 1


def test_what_lies_within_another_find_is_no_face_of_its_own():
    outer, inner = [40, 40, 140, 160, 0.9], [182, 70, 218, 110, 0.8]  # IoU 0.1

    def detect(image):
        return [outer if image.shape[0] == HEIGHT else inner]

    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    checked = CheckedDetector(FunctionDetector(detect), Sure(90))
    (back,) = turned_back(np.array([inner], np.float32), 3, image.shape)
    assert (back[:2] > outer[:2]).all() and (back[2:4] < outer[2:4]).all()
    assert len(find_faces(checked, image)) == 1


@pytest.mark.parametrize(
    ("settings", "scale"), [({}, None), ({"max_height": None}, None), ({}, 1.0)]
)
def test_turned_pictures_are_shrunk_only_where_the_detector_shrinks_them(settings, scale):
    sides = []

    class Large(DetectorBase):
        def __init__(self):
            self.settings = DetectorSettings(**settings)

        def detect(self, image, *, least_score=None, coarse=False):
            sides.append(max(image.shape))
            return np.zeros((0, 5), np.float32)

    find_faces(CheckedDetector(Large(), Sure()), np.zeros((500, 1400, 3), np.uint8), scale)
    whole = [side for side in sides if side == 1400]
    if settings:
        assert len(whole) == 4 and sides[1] == 540
    elif scale:
        assert len(whole) == 4 and len(sides) > 8  # and tiles
    else:
        assert sides[:5] == [1400, 540, 1080, 1080, 1080]
        assert len(sides) > 5 and max(sides[5:]) <= 1080  # tiles of a finer search


def test_doubtful_rolls_turn_nothing():
    class Lost(Sure):
        def forward(self, crops):
            answers = super().forward(crops)
            answers[:, 1:3] *= 0.1
            return answers

    flags = Flags()
    find_faces(CheckedDetector(FunctionDetector(flags), Lost(90)), picture((50, 50, 0)))
    assert len(flags.searched) == 1


def test_boxes_are_in_pixels_of_the_picture_where_that_is_shrunk():
    large = np.repeat(np.repeat(picture((100, 30, 1)), 8, 0), 8, 1)

    def shrunk_flags(image):
        step = 8 * image.shape[0] / large.shape[0] if image.shape[0] < image.shape[1] else None
        step = step or 8 * image.shape[1] / large.shape[0]
        across = [round(length / step) for length in image.shape[:2]]
        rows, columns = ((np.arange(n) + 0.5) * step for n in across)
        small = image[np.ix_(rows.astype(int), columns.astype(int))]
        return Flags()(small) * np.array([step] * 4 + [1], np.float32)

    (face,) = find_faces(CheckedDetector(FunctionDetector(shrunk_flags), Sure()), large)
    (small,) = find_faces(CheckedDetector(FunctionDetector(Flags()), Sure()), picture((100, 30, 1)))
    np.testing.assert_allclose(face[:4], small[:4] * 8, atol=8)


def test_a_detect_scale_out_of_range_is_named():
    with pytest.raises(InputError, match="detect_scale: expected 0 to 1"):
        find_faces(CheckedDetector(FunctionDetector(Flags()), Sure()), picture(), detect_scale=2)


@pytest.mark.parametrize("quarters", range(4))
def test_boxes_come_back(quarters):
    box = np.array([[30, 40, 70, 90, 0.7]], np.float32)
    shapes = [(HEIGHT, WIDTH), (WIDTH, HEIGHT)]
    there = turned_back(box, quarters, shapes[0])
    again = turned_back(there, -quarters % 4, shapes[quarters % 2])
    np.testing.assert_allclose(again, box, atol=1e-4)
