import numpy as np
import pytest

from FaceBoxes.settings import DetectorSettings
from tddfa.detector import DetectorBase
from tddfa.detectors.faceboxes_two_scales import TwoScales


class Finicky(DetectorBase):
    """Sees white squares of 20 to 80 network pixels, and shrinks pictures as FaceBoxes does."""

    def __init__(self, **settings):
        self.settings = DetectorSettings(**settings)
        self.searched = []

    def detect(self, image, *, least_score=None, coarse=False):
        self.searched.append((image.shape[:2], least_score, coarse))
        lit = image[..., 0] > 127
        if not lit.any():
            return np.zeros((0, 5), np.float32)
        (top, left), (bottom, right) = np.argwhere(lit).min(0), np.argwhere(lit).max(0) + 1
        height, width = image.shape[:2]
        limits = self.settings.max_height or height, self.settings.max_width or width
        side = (right - left) * min(1, limits[0] / height, limits[1] / width)
        rows = [[left, top, right, bottom, 0.8]] if 20 <= side <= 80 else []
        return np.array(rows, np.float32).reshape(-1, 5)


def picture(side, shape=(300, 400)):
    image = np.zeros((*shape, 3), np.uint8)
    image[20 : 20 + side, 40 : 40 + side] = 255
    return image


@pytest.mark.parametrize(("side", "found"), [(0, 0), (10, 0), (30, 1), (60, 1), (140, 1), (200, 0)])
def test_what_is_too_large_at_one_scale_is_found_at_the_other(side, found):
    detector = Finicky()
    boxes = TwoScales(detector).detect(picture(side))
    assert boxes.shape == (found, 5) and boxes.dtype == np.float32
    assert [size for size, *_ in detector.searched] == [(300, 400), (150, 200)]
    if found:
        np.testing.assert_allclose(boxes[0, :4], [40, 20, 40 + side, 20 + side], atol=2)


def test_a_face_found_at_both_scales_is_one():
    assert len(TwoScales(Finicky()).detect(picture(60))) == 1


@pytest.mark.parametrize(
    ("settings", "half"),
    [({}, (540, 360)), ({"max_height": None, "max_width": None}, (1500, 1000))],
)
def test_half_is_half_of_what_the_detector_sees(settings, half):
    detector = Finicky(**settings)
    TwoScales(detector).detect(picture(400, (2000, 3000)))
    assert detector.searched[1][0] == half[::-1]


def test_the_score_is_handed_on_and_a_coarse_search_is_at_one_scale():
    detector = Finicky()
    both = TwoScales(detector)
    both.detect(picture(30), least_score=0.1)
    assert [score for _, score, _ in detector.searched] == [0.1, 0.1]
    both.detect(picture(30), coarse=True)
    assert detector.searched[2:] == [((300, 400), None, True)]


@pytest.mark.parametrize("shape", [(1, 1), (20, 400), (400, 40)])
def test_small_pictures_are_not_halved(shape):
    detector = Finicky()
    assert TwoScales(detector).detect(np.zeros((*shape, 3), np.uint8)).shape == (0, 5)
    assert len(detector.searched) == 1


def test_the_free_weights_have_it_and_the_others_do_not():
    from tddfa.config import load_config

    named = {
        name: load_config(name).detector for name in ("default", "small", "free", "free-small")
    }
    assert {name for name, part in named.items() if part == "faceboxes_two_scales"} == {
        "free",
        "free-small",
    }
