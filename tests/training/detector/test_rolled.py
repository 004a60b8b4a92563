"""Rolled faces: their boxes, and where no other detector is asked."""

import cv2
import numpy as np
import pytest

from FaceBoxes.prior_box import prior_boxes
from tddfa.detector_box import moved_boxes
from tddfa.roi import parse_roi_box_from_bbox
from training.detector import boxes, compose, crowd
from training.detector.picture import NONE, Picture, draw_roll, part_of_photo, transform

FACE = boxes.box_around([100, 120], 60)[None]


def rotation(degrees, zoom=1.0, mirrored=False):
    matrix = cv2.getRotationMatrix2D((130, 90), degrees, zoom)
    if mirrored:
        matrix[:, 0] *= -1
    return matrix


def middle(box):
    left, top, right, bottom = parse_roi_box_from_bbox(box)
    return np.array([(left + right) / 2, (top + bottom) / 2])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 30, 90, 180, -135])
def test_the_roi_of_a_box_moves_with_its_picture(degrees, mirrored):
    matrix = rotation(degrees, 1.7, mirrored)
    (moved,) = moved_boxes(FACE, matrix)
    expected = matrix[:, :2] @ middle(FACE[0]) + matrix[:, 2]
    np.testing.assert_allclose(middle(moved), expected, atol=1e-3)
    np.testing.assert_allclose(moved[2:] - moved[:2], 1.7 * (FACE[0, 2:] - FACE[0, :2]), rtol=1e-5)


def test_there_and_back_again():
    matrix = rotation(77, 0.6)
    back = cv2.invertAffineTransform(matrix)
    found = moved_boxes(moved_boxes(FACE, matrix), back)
    np.testing.assert_allclose(found, FACE, atol=1e-3)
    assert moved_boxes(NONE, matrix).shape == boxes.moved_areas(NONE, matrix).shape == (0, 4)


def test_areas_hold_what_they_held():
    area = np.array([[10, 20, 50, 40]], np.float32)
    (found,) = boxes.moved_areas(area, rotation(45))
    corners = np.array([[10, 20, 1], [50, 20, 1], [10, 40, 1], [50, 40, 1]]) @ rotation(45).T
    assert (corners >= found[:2] - 1e-3).all() and (corners <= found[2:] + 1e-3).all()
    assert np.prod(found[2:] - found[:2]) == pytest.approx((60 / 2**0.5) ** 2, rel=1e-3)


@pytest.mark.parametrize("roll", [0.0, 50.0, 90.0, 180.0])
def test_a_pasted_face_is_in_the_middle_of_its_roi_at_any_roll(roll):
    crop = np.zeros((168, 168, 3), np.uint8)
    cv2.circle(crop, (84, 84), 12, (255, 255, 255), -1)
    empty = Picture(np.zeros((300, 300, 3), np.uint8), NONE, NONE)
    center, whole = np.array([150.0, 140.0], np.float32), np.ones((168, 168), np.float32)
    pasted = crowd.paste(empty, crop, [84.5, 84.5, 120], 80.0, center, roll, whole, sure=roll > 35)
    seen = np.argwhere(pasted.image[:, :, 0] > 127).mean(axis=0)[::-1]
    np.testing.assert_allclose(seen, middle(pasted.faces[0]), atol=1)
    assert len(pasted.sure) == (roll > 35)


@pytest.mark.parametrize(("roll", "sure"), [(0.0, 0), (20.0, 0), (-90.0, 1), (180.0, 1)])
def test_no_other_detector_is_asked_about_strongly_rolled_faces(roll, sure):
    picture = Picture(np.zeros((240, 200, 3), np.uint8), FACE, NONE)
    for seed in range(10):
        moved = part_of_photo(picture, FACE, 256, np.random.default_rng(seed), 2.5, roll)
        assert len(moved.faces) + len(moved.doubtful) == 1
        assert len(moved.sure) == sure * len(moved.faces)
        for box, area in zip(moved.faces, moved.sure, strict=bool(sure)):
            assert (area[:2] < box[:2]).all() and (area[2:] > box[2:]).all()


def test_rolls_are_of_all_sizes_and_many_those_of_a_turned_camera():
    generator = np.random.default_rng(0)
    rolls = np.array([draw_roll(generator) for _ in range(4000)])
    turned = np.abs(rolls[:, None] - (-90, 90, 180)).min(axis=1) < 10
    assert 0.4 < turned.mean() < 0.6
    assert (np.histogram(rolls, bins=12, range=(-180, 180))[0] > 100).all()


def anchors(known):
    """Return the centers of the anchors that boxes know better of, in pixels of 256."""
    return prior_boxes(256, 256)[known, :2] * 256


def test_empty_areas_leave_room_for_upright_faces():
    empty = np.array([[0, 0, 256, 256]], np.float32)
    known = boxes.told(FACE, NONE, empty, (256, 256))
    close = boxes.grown(FACE, boxes.NEAR)[0]
    inside = ((anchors(~known) >= close[:2]) & (anchors(~known) <= close[2:])).all(axis=1)
    assert inside.all() and known.any() and not known.all()
    assert boxes.told(NONE, NONE, empty, (256, 256)).all()
    assert not boxes.told(FACE, NONE, NONE, (256, 256)).any()


def test_sure_areas_win_over_faces():
    sure = boxes.grown(FACE, boxes.NEAR)
    known = boxes.told(FACE, sure, NONE, (256, 256))
    centers = anchors(known)
    assert known.any() and ((centers >= sure[0, :2]) & (centers <= sure[0, 2:])).all()


def test_areas_move_with_their_picture():
    area = np.array([[0, 0, 200, 240]], np.float32)
    picture = Picture(np.zeros((240, 200, 3), np.uint8), FACE, NONE, empty=area)
    matrix = np.array([[0.5, 0, 10], [0, 0.5, 20]])
    np.testing.assert_allclose(transform(picture, matrix, 128).empty, [[10, 20, 110, 140]])


def test_faces_in_the_dark_are_left_to_the_other_detector():
    image = np.zeros((100, 100, 3), np.uint8)
    image[:50:2] = 200
    areas = np.array([[0, 0, 40, 40], [0, 60, 40, 90], [-50, -50, -10, -10]], np.float32)
    np.testing.assert_allclose(compose.seen_areas(image, areas), areas[:1])
    assert compose.seen_areas(image, NONE).shape == (0, 4)
