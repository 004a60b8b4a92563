import cv2
import numpy as np
import pytest

from FaceBoxes.preprocess import fit_scale
from FaceBoxes.settings import DetectorSettings
from FaceBoxes.tiles import plan_finer, plan_tiles
from tddfa.detector import DetectorBase, FunctionDetector
from tddfa.detectors.faceboxes_two_scales import TwoScales
from tddfa.face_check.check import FaceCheck
from tddfa.face_check.checked_detector import CheckedDetector, CheckSettings
from tddfa.iou import iou_matrix
from tddfa.other_scales import search_coarser, search_finer
from tddfa.picture_search import find_faces


class Spots(DetectorBase):
    """Finds white squares from `least` to `most` network pixels; shrinks as the real one."""

    def __init__(self, least=30, most=300, score=0.95, **settings):
        self.least, self.most, self.score = least, most, score
        self.settings = DetectorSettings(**settings)
        self.searched = []

    def detect(self, image, *, least_score=None, coarse=False):
        height, width = image.shape[:2]
        scale = fit_scale(height, width, self.settings.max_height, self.settings.max_width)
        self.searched.append((height, width))
        lit = (image[..., 0] > 128).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(lit)
        rows = [
            [x, y, x + w, y + h, self.score]
            for x, y, w, h, _ in stats[1:count].tolist()
            if self.least <= min(w, h) * scale and max(w, h) * scale <= self.most
        ]
        return np.array(rows, np.float32).reshape(-1, 5)


class Faces(FaceCheck):
    """Everything is a face, upright."""

    def forward(self, crops):
        answers = np.zeros((len(crops), 6), np.float32)
        answers[:, :2] = 4.0, 1.0
        return answers


def picture(shape, *squares):
    image = np.zeros((*shape, 3), np.uint8)
    for x, y, side in squares:
        image[y : y + side, x : x + side] = 255
    return image


def box(x, y, side, score=0.95):
    return [x, y, x + side, y + side, score]


NONE = np.zeros((0, 5), np.float32)


def test_beside_large_faces_alone_nothing_is_searched():
    detector, boxes = Spots(), np.array([box(10, 10, 60)], np.float32)
    assert search_finer(detector, picture((300, 400), (10, 10, 60)), boxes) is boxes
    assert not detector.searched


def test_a_doubtful_small_face_is_no_reason_to_search():
    detector, boxes = Spots(), np.array([box(10, 10, 34, 0.75), box(80, 10, 60)], np.float32)
    assert search_finer(detector, picture((300, 400)), boxes) is boxes
    assert not detector.searched


@pytest.mark.parametrize("shape", [(120, 160), (400, 600), (720, 1080), (1500, 2300), (90, 700)])
def test_smaller_faces_are_found_beside_a_small_one(shape):
    scale = fit_scale(*shape, 720, 1080)
    side, least = round(34 / scale), round(22 / scale)
    places = [(2, 3), (shape[1] - least - 2, 3), (shape[1] // 2, shape[0] - least - 2)]
    image = picture(shape, (2 + 2 * side, 3, side), *((x, y, least) for x, y in places))
    detector = Spots()
    first = detector.detect(image)
    assert len(first) == 1
    found = search_finer(detector, image, first)
    wanted = [box(2 + 2 * side, 3, side), *(box(x, y, least) for x, y in places)]
    assert len(found) == 4 and (iou_matrix(wanted, found).max(axis=1) > 0.8).all()


@pytest.mark.parametrize(
    ("scores", "found"),
    [((0.97, 0.6, 0.93), 3), ((0.93, 0.91), 2), ((0.99, 0.85), 0), ((0.99,), 0), ((), 0)],
)
def test_a_crowd_of_faces_too_small_is_believed_if_two_are_clear(scores, found):
    boxes = [np.multiply(box(40 * k, 20, 24, score / 1.8), 1.8) for k, score in enumerate(scores)]
    crowd = FunctionDetector(lambda image: boxes)
    assert search_finer(crowd, picture((200, 300)), NONE).shape == (found, 5)


def test_what_was_found_stays_as_it_was_and_falls_by_score():
    image = picture((200, 300), (20, 20, 34), (150, 100, 24))
    first = np.array([box(20, 20, 34, 0.92)], np.float32)
    found = search_finer(Spots(score=0.97), image, first)
    assert found[:, 4].tolist() == pytest.approx([0.97, 0.92])
    np.testing.assert_array_equal(found[1], first[0])


@pytest.mark.parametrize("shape", [(720, 1080), (1500, 2300), (1000, 1000)])
def test_small_faces_on_the_seams_of_tiles_are_found_once(shape):
    scale = fit_scale(*shape, 720, 1080)
    side, seed = round(22 / scale), round(34 / scale)
    tiles = plan_finer(*shape, DetectorSettings(), 1.8, 120).tiles
    assert len(tiles) > 1
    columns = {x for tile in tiles for x in (tile[0], tile[2]) if 0 < x < shape[1]}
    rows = {y for tile in tiles for y in (tile[1], tile[3]) if 0 < y < shape[0]}
    middles = [(x, shape[0] // 3) for x in columns] + [(shape[1] // 3, y) for y in rows]
    places = [(x - side // 2, y - side // 2) for x, y in middles]
    image = picture(shape, (0, 0, seed), *((x, y, side) for x, y in places))
    found = search_finer(Spots(), image, np.array([box(0, 0, seed)], np.float32))
    overlap = iou_matrix([box(x, y, side) for x, y in places], found)
    assert len(found) == 1 + len(places) and (overlap.max(axis=1) > 0.8).all()


@pytest.mark.parametrize("factor", [1, 4])
def test_larger_faces_are_left_to_the_first_search(factor):
    # One that the detector knows only where it is twice as large: no face of a crowd.
    shape = (300 * factor, 400 * factor)
    scale = fit_scale(*shape, 720, 1080)
    small, large = 34 / scale, 62 / scale
    first = np.array([box(20, 20, small)], np.float32)

    def detect(seen):
        return [np.multiply(box(150, 100, large, 0.95 / 1.8 / scale), 1.8 * scale)]

    found = search_finer(FunctionDetector(detect), picture(shape), first)
    np.testing.assert_array_equal(found, first)


def test_a_part_of_a_face_is_no_other_face():
    first = np.array([box(20, 20, 36), box(100, 100, 120)], np.float32)
    within = FunctionDetector(lambda image: [np.multiply(box(130, 140, 30, 0.99 / 1.8), 1.8)])
    found = search_finer(within, picture((300, 400)), first)
    np.testing.assert_array_equal(found, first)


@pytest.mark.parametrize("shape", [(3000, 4500), (4500, 3000), (900, 1100), (721, 2000)])
def test_tiles_are_four_at_most_where_the_detector_shrinks_the_picture(shape):
    detector = Spots()
    search_finer(detector, picture(shape), np.array([box(0, 0, 5)], np.float32))
    assert 1 < len(detector.searched) <= 4
    assert max(height for height, _ in detector.searched) <= 720
    assert max(width for _, width in detector.searched) <= 1080


def test_a_detector_without_limits_is_given_one_tile_where_one_is_enough():
    detector = Spots(max_height=None, max_width=None)
    search_finer(detector, picture((300, 400)), np.array([box(0, 0, 34)], np.float32))
    assert detector.searched == [(540, 720)]


@pytest.mark.parametrize(("score", "found"), [(0.95, 1), (0.85, 0)])
def test_a_face_too_large_is_found_at_half_the_scale_if_it_is_clear(score, found):
    image = picture((500, 600), (80, 60, 400))
    detector = Spots(score=score)
    assert not len(detector.detect(image))
    boxes = search_coarser(detector, image)
    assert len(boxes) == found
    if found:
        np.testing.assert_allclose(boxes[0, :4], [80, 60, 480, 460], atol=2)


@pytest.mark.parametrize("shape", [(1, 1), (63, 500), (500, 40)])
def test_what_has_nothing_left_when_halved_is_not_searched(shape):
    detector = Spots()
    assert search_coarser(detector, picture(shape)).shape == (0, 5)
    assert not detector.searched


@pytest.mark.parametrize(("detect_scale", "other"), [(None, 1), (1.0, 1), (0, 0), (0.3, 0)])
def test_pictures_are_searched_at_two_scales_but_for_one_that_is_asked_for(detect_scale, other):
    crowd = picture((200, 300), (20, 20, 34), (150, 100, 24))
    found = find_faces(CheckedDetector(Spots(), Faces()), crowd, detect_scale)
    assert len(found) == 1 + other
    portrait = picture((500, 600), (80, 60, 400))
    found = find_faces(CheckedDetector(Spots(), Faces()), portrait, detect_scale, turned=False)
    assert len(found) == other


@pytest.mark.parametrize("squares", [[(20, 20, 34), (150, 100, 24)], []])
@pytest.mark.parametrize("detect_scale", [None, 1.0])
def test_a_picture_in_tiles_is_searched_as_before(detect_scale, squares):
    detector = Spots()
    strip = picture((300, 9000), *squares)
    find_faces(CheckedDetector(detector, Faces()), strip, detect_scale, turned=False)
    plan = plan_tiles(300, 9000, detector.settings, detect_scale)
    assert plan is not None and len(detector.searched) == 1 + len(plan.tiles)


def test_a_detector_without_a_check_searches_once():
    detector = Spots()
    assert len(find_faces(detector, picture((200, 300), (20, 20, 34), (150, 100, 24)))) == 1
    assert len(detector.searched) == 1


def test_a_detector_of_two_scales_is_not_halved_again():
    spots = Spots()
    both = CheckedDetector(TwoScales(spots), Faces())
    find_faces(both, picture((500, 600)), turned=False)
    assert spots.searched[:2] == [(500, 600), (250, 300)]
    assert min(height for height, _ in spots.searched[2:]) > 300  # finer, at one scale
    spots.searched.clear()
    find_faces(both, picture((200, 300), (20, 20, 34)), turned=False)
    assert spots.searched == [(200, 300), (100, 150), (360, 540)]


def test_a_close_up_that_lies_brings_its_neighbors():
    def detect(image):
        height, width = image.shape[:2]
        if (height, width) == (200, 300):
            return [[20, 20, 120, 120, 0.95]]  # at half the scale, as it lies
        if (height, width) == (600, 400):
            return [[40, 40, 240, 240, 0.95], [250, 400, 350, 500, 0.95]]  # turned
        return np.zeros((0, 5))

    class Lying(Faces):
        def forward(self, crops):
            answers = super().forward(crops)
            answers[:, 1:3] = 0.0, 1.0  # rolled by 90 degrees
            return answers

    found = find_faces(CheckedDetector(FunctionDetector(detect), Lying()), picture((400, 600)))
    assert len(found) >= 2


def test_the_same_check_behind_another_detector():
    settings, check = CheckSettings(candidate_score=0.4, detector_weight=0.5), Faces()
    before = CheckedDetector(Spots(), check, settings, vis_thres=0.7)
    other = Spots()
    after = before.behind(other)
    assert after.detector is other and after.check is check
    assert after.check_settings is settings and after.vis_thres == 0.7
