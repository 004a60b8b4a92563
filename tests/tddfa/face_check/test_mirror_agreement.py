import numpy as np
import pytest

from tddfa import FaceAligner
from tddfa.detector import FunctionDetector
from tddfa.face_check.checked_detector import CheckedDetector, CheckSettings
from tddfa.face_check.looks import logit_of
from tddfa.face_check.mirror_agreement import MirrorAgreement, agreement_logit
from tddfa.io.pictures import imread
from tddfa.mirrored_look import parameter_mirror
from tddfa.picture_search import find_faces
from tddfa.roi import network_input, parse_roi_box_from_bbox
from tddfa.tracking.tracker import FaceTracker
from tests.tddfa.test_picture_search import Flags, Sure, picture

PORTRAIT = "examples/inputs/astronaut.png"


@pytest.fixture(scope="module")
def aligner():
    return FaceAligner(threads=1)


@pytest.fixture(scope="module")
def portrait(aligner):
    image = imread(PORTRAIT)
    (face,) = aligner.detect(image)
    return image, list(map(float, parse_roi_box_from_bbox(face.box)))


def test_nothing_is_told_of_nothing(aligner):
    agreement = MirrorAgreement(aligner.aligner)
    assert agreement.at(np.zeros((40, 40, 3), np.uint8), []).shape == (0,)


def test_a_face_looks_the_same_in_a_mirror_and_other_things_do_not(aligner, portrait):
    image, roi = portrait
    height, width = image.shape[:2]
    elsewhere = [[0.0, height - 130.0, 130.0, float(height)], [width - 130.0, 0.0, width, 130.0]]
    face, *others = MirrorAgreement(aligner.aligner).at(image, [roi, *elsewhere])
    assert face < 0.03
    assert min(others) > 0.06
    says = agreement_logit([face, *others])
    assert says[0] > 1
    assert (says[1:] < -1).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_that_lies_is_looked_at_as_it_is_turned(aligner, portrait, quarters):
    image, _ = portrait
    turned = np.ascontiguousarray(np.rot90(image, quarters))
    (found,) = aligner.detect(turned)
    lying = [list(map(float, parse_roi_box_from_bbox(found.box)))]
    angles = aligner.check.turns(turned, lying)
    agreement = MirrorAgreement(aligner.aligner)
    (upright,), (as_it_lies,) = agreement.at(turned, lying, angles), agreement.at(turned, lying)
    assert upright < 0.03 < as_it_lies


def test_a_picture_and_its_mirror_image_are_the_same_to_it(aligner, portrait):
    image, (left, top, right, bottom) = portrait
    width = image.shape[1]
    there = [width - round(right), round(top), width - round(left), round(bottom)]
    here = [round(left), round(top), round(right), round(bottom)]
    agreement = MirrorAgreement(aligner.aligner)
    (straight,), (mirrored,) = agreement.at(image, [here]), agreement.at(image[:, ::-1], [there])
    assert straight == pytest.approx(mirrored, rel=0.1)


def test_answers_that_are_no_numbers_say_no(aligner):
    class Lost:
        size, scale = 120, aligner.aligner.scale
        reconstructor, bfm = aligner.aligner.reconstructor, aligner.aligner.bfm

        def forward(self, crops):
            return np.full((len(crops), 62), np.nan, np.float32)

    distances = MirrorAgreement(Lost()).at(np.zeros((50, 50, 3), np.uint8), [[0, 0, 50, 50]])
    assert agreement_logit(distances) < -8


def test_answers_that_are_mirror_images_of_each_other_are_not_apart(aligner, portrait):
    image, roi = portrait
    network = aligner.aligner
    crops = network_input(image, [roi])
    params = network.regress(crops)
    mirrored = parameter_mirror(network.bfm)(params)  # a mirror is its own inverse

    class Exact:
        size, reconstructor = network.size, network.reconstructor

        class scale:
            denormalize = staticmethod(lambda output: output)

        def forward(self, crops):
            return np.concatenate([params, mirrored])

    assert MirrorAgreement(Exact()).at(image, [roi]) < 1e-4


def test_what_a_distance_says_grows_as_it_falls_and_is_bounded():
    says = agreement_logit([0.0, 1e-9, 0.01, 0.04, 0.1, 2.0, np.inf])
    assert says[0] == says[1] > says[2] > 0 > says[4] > says[5] == says[6]
    assert says[3] == pytest.approx(0, abs=1e-6)


class Word:
    """The same distance for all, and what it was asked for."""

    def __init__(self, distance):
        self.distance, self.asked = distance, []

    def at(self, image, rois, angles=None):
        self.asked += [list(roi) for roi in rois]
        return np.full(len(rois), self.distance, np.float32)


BOX = [20.0, 20, 80, 80]


@pytest.mark.parametrize(("distance", "found"), [(0.01, 1), (0.3, 0)])
def test_a_doubt_is_settled_by_the_mirror(distance, found):
    detector = FunctionDetector(lambda _: np.array([[*BOX, 0.5]], np.float32))
    word = Word(distance)
    checked = CheckedDetector(detector, Sure(logit=0.1)).asking(word)
    assert len(checked.detect(picture())) == found
    assert word.asked == [parse_roi_box_from_bbox(np.float32(BOX))]


@pytest.mark.parametrize("logit", [-9.0, 9.0])
def test_what_is_clear_is_not_asked(logit):
    detector = FunctionDetector(lambda _: np.array([[*BOX, 0.6]], np.float32))
    word = Word(0.3)
    checked = CheckedDetector(detector, Sure(logit=logit)).asking(word)
    assert len(checked.detect(picture())) == (logit > 0)
    assert word.asked == []


def test_fainter_finds_are_looked_at_where_the_mirror_may_be_asked():
    asked = []

    class Counting(FunctionDetector):
        def detect(self, image, *, least_score=None, coarse=False):
            asked.append(least_score)
            return super().detect(image, least_score=least_score, coarse=coarse)

    checked = CheckedDetector(Counting(lambda _: np.zeros((0, 5), np.float32)), Sure())
    checked.detect(picture())
    checked.asking(Word(0.01)).detect(picture())
    assert asked == [CheckSettings().candidate_score, CheckSettings().doubted_score]


def test_only_so_many_doubts_are_asked_for_and_the_likeliest_first():
    rows = [[x, 10, x + 9, 19, 0.3 + x / 5000] for x in range(0, 1000, 10)]
    detector = FunctionDetector(lambda _: np.array(rows, np.float32))
    word = Word(0.01)
    checked = CheckedDetector(detector, Sure(logit=0.0)).asking(word)
    found = checked.detect(np.zeros((40, 1000, 3), np.uint8))
    assert len(word.asked) == 32
    likeliest = sorted(rows, key=lambda row: -row[4])[:32]
    assert {tuple(np.float32(row[:4])) for row in likeliest} <= {tuple(row[:4]) for row in found}
    assert word.asked[0] == parse_roi_box_from_bbox(np.float32(likeliest[0]))


def test_a_face_in_two_boxes_is_told_once():
    """The regressor reads a face alike in a box that is too large as well."""
    rows = np.array([[0, 0, 100, 100, 0.9], [20, 50, 70, 105, 0.5]], np.float32)
    detector = FunctionDetector(lambda _: rows)
    checked = CheckedDetector(detector, Sure(logit=0.1))
    assert len(checked.detect(picture())) == 2
    (found,) = checked.asking(Word(0.01)).detect(picture())
    np.testing.assert_allclose(found[:4], rows[0, :4])


def test_the_same_check_behind_another_detector_asks_as_well():
    word = Word(0.3)
    checked = CheckedDetector(FunctionDetector(lambda _: np.zeros((0, 5))), Sure(logit=0.1))
    other = FunctionDetector(lambda _: np.array([[*BOX, 0.5]], np.float32))
    assert len(checked.behind(other).detect(picture())) == 1
    assert len(checked.asking(word).behind(other).detect(picture())) == 0


def test_a_detector_of_a_users_own_keeps_its_ways():
    class Mine(CheckedDetector):
        def detect(self, image, *, least_score=None, coarse=False):
            return np.zeros((0, 5), np.float32)

    class Limits:
        vis_thres, max_height, max_width = 0.5, 720, 1080

    class Limited(FunctionDetector):
        settings = Limits()

    found = Limited(lambda _: np.array([[*BOX, 0.9]], np.float32))
    assert len(CheckedDetector(found, Sure()).asking(Word(0.01)).detect(picture())) == 1
    assert len(Mine(found, Sure()).asking(Word(0.01)).detect(picture())) == 0


@pytest.mark.parametrize(("distance", "followed"), [(0.01, 1), (0.3, 0)])
def test_a_doubt_begins_a_track_if_the_mirror_agrees(aligner, portrait, distance, followed):
    image, _ = portrait
    (face,) = aligner.detect(image)
    row = np.array([[*face.box, 0.5]], np.float32)
    doubtful = CheckedDetector(FunctionDetector(lambda _: row), Sure(logit=0.3))
    word = Word(distance)
    tracker = FaceTracker(doubtful.asking(word), aligner.aligner)
    assert len(tracker(image)) == followed
    assert word.asked


def test_a_tracker_and_a_face_aligner_ask_their_own_regressor(aligner, portrait):
    doubtful = CheckedDetector(FunctionDetector(Flags(0.6)), Sure(logit=0.5))
    tracker = FaceTracker(doubtful, aligner.aligner)
    assert tracker.finder.detector.agreement.aligner is aligner.aligner
    plain = FunctionDetector(Flags(0.6))
    assert FaceTracker(plain, aligner.aligner).finder.detector is plain
    looking = FaceAligner(detector=doubtful, threads=1)
    assert len(find_faces(doubtful, picture((50, 50, 0)))) == 1
    assert len(looking.find(picture((50, 50, 0)))) == 0
    assert doubtful.agreement is None


def test_a_still_picture_is_searched_with_the_regressor(aligner):
    """White and gray halves are no face, however sure a detector is of them."""
    image = picture((50, 50, 0))
    doubtful = CheckedDetector(FunctionDetector(Flags(0.6)), Sure(logit=0.5))
    (found,) = find_faces(doubtful, image)
    assert logit_of(found[4]) == pytest.approx(0.5 + logit_of(0.6), abs=1e-3)
    assert len(find_faces(doubtful, image, regressor=aligner.aligner)) == 0
    assert doubtful.agreement is None
