"""A search of a part of a picture, with a detector that sees white squares."""

import numpy as np
import pytest

from tddfa.detector import DetectorBase, FunctionDetector
from tddfa.face_check.check import FaceCheck
from tddfa.roi import parse_roi_box_from_bbox
from tddfa.tracking.face_finder import FaceFinder


class WhiteSquares(DetectorBase):
    """Report the box of all white pixels, in pixels of the picture that it is given."""

    def __init__(self):
        self.shapes = []

    def detect(self, image, *, least_score=None, coarse=False):
        self.shapes.append(image.shape[:2])
        rows, columns = np.nonzero(image[..., 0] > 128)
        if not len(rows):
            return np.zeros((0, 5), np.float32)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1, 0.9]
        return np.float32([box])


@pytest.fixture
def finder():
    return FaceFinder(WhiteSquares())


@pytest.mark.parametrize(
    "size, box",
    [((600, 800), (300, 200, 360, 280)), ((1440, 2560), (1600, 800, 1760, 1000))],
    ids=["as it is", "scaled down"],
)
def test_boxes_are_in_pixels_of_the_picture(finder, size, box):
    image = np.zeros((*size, 3), np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    part = (box[0] - 100, box[1] - 90, box[2] + 80, box[3] + 70)
    (found,) = finder.detect_in(image, part)
    assert np.abs(found[:4] - box).max() <= 3
    # The part is searched as finely as the whole picture would be.
    scale = min(1, 720 / size[0], 1080 / size[1])
    assert finder.detector.shapes[-1][1] == pytest.approx(scale * (part[2] - part[0]), abs=2)


def test_what_an_inner_border_cuts_off_is_left_out(finder):
    image = np.zeros((400, 600, 3), np.uint8)
    image[100:200, 100:200] = 255
    assert len(finder.detect_in(image, (50, 50, 300, 300))) == 1
    assert len(finder.detect_in(image, (150, 50, 300, 300))) == 0
    assert len(finder.detect_in(image, (50, 50, 300, 150))) == 0


def test_at_the_border_of_the_picture_it_counts(finder):
    image = np.zeros((400, 600, 3), np.uint8)
    image[:80, :80] = 255
    (found,) = finder.detect_in(image, (0, 0, 200, 200))
    assert found[:4].tolist() == [0, 0, 80, 80]


def test_all_of_it_and_nothing_found(finder):
    image = np.zeros((400, 600, 3), np.uint8)
    assert finder.detect_in(image, (0, 0, 600, 400)).shape == (0, 5)
    assert finder.detect_in(image, (10, 10, 90, 90)).shape == (0, 5)


class Rolled(FaceCheck):
    """Sees faces in ROIs whose middle lies in the upper half, rolled by so much."""

    def __init__(self, roll, certainty=1.0):
        self.roll, self.certainty = np.radians(roll), certainty

    def forward(self, crops):
        answers = np.zeros((len(crops), 6), np.float32)
        answers[:, 0] = 8 * crops[:, :, :60].mean(axis=(1, 2, 3))
        answers[:, 1] = self.certainty * np.cos(self.roll)
        answers[:, 2] = self.certainty * np.sin(self.roll)
        return answers


@pytest.mark.parametrize(
    ("check", "flipped"),
    [
        (None, False),
        (Rolled(0), False),
        (Rolled(100), False),
        (Rolled(180), True),
        (Rolled(-150), True),
        (Rolled(180, 0.2), False),
    ],
)
def test_what_is_upside_down_has_its_roi_above(check, flipped):
    image = np.zeros((400, 400, 3), np.uint8)
    image[60:200] = 255
    box = np.array([[150, 150, 250, 270, 0.9]], np.float32)
    finder = FaceFinder(FunctionDetector(lambda _: box), check=check)
    ((left, top, right, bottom),) = finder.roi_boxes(image, box)
    plain = parse_roi_box_from_bbox(box[0])
    assert [left, right] == plain[::2] and right - left == pytest.approx(bottom - top)
    # The box's middle is at y = 210.
    expected = 2 * 210 - (plain[1] + plain[3]) / 2 if flipped else (plain[1] + plain[3]) / 2
    assert (top + bottom) / 2 == pytest.approx(expected)


def test_no_box_has_no_roi():
    finder = FaceFinder(FunctionDetector(lambda _: []), check=Rolled(180))
    assert finder.roi_boxes(np.zeros((9, 9, 3), np.uint8), np.zeros((0, 5), np.float32)) == []
