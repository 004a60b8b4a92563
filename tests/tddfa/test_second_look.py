"""The second look: closer, in a mirror as well, and only where that is possible."""

import copy
import pickle
from functools import partial

import cv2
import numpy as np
import pytest

from tddfa import FaceAligner, load_config
from tddfa.arkit52 import MIRRORED
from tddfa.commands import image_arguments, label, web
from tddfa.mirrored_look import landmarks_apart, mirrored_crops, parameter_mirror
from tddfa.onnx_backend import TDDFA_ONNX
from tddfa.params import split_params
from tddfa.pipelines import aligner_arguments
from tddfa.reconstruct import image_cameras
from tddfa.roi import network_input, square_around
from tddfa.second_look import closer_rois, params_in, were_off

SIZE = 120
ROIS = [[150.0, 30.0, 300.0, 180.0], [170.0, 50.0, 280.0, 160.0]]


@pytest.fixture(scope="module")
def portrait(project_root):
    return cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))


@pytest.fixture(scope="module")
def aligner():
    return TDDFA_ONNX(**vars(load_config("default")))


def square(x, y, side):
    return [float(x - side / 2), float(y - side / 2), float(x + side / 2), float(y + side / 2)]


def corners(x, y, side):
    """Points whose ROI is `square(x, y, side)`, in no order."""
    half = side / np.sqrt(8)
    return np.array([[x - half, x + half, x], [y - half, y + half, y]], np.float32)


@pytest.mark.parametrize(
    ("found", "near"),
    [((100, 100, 100), True), ((110, 100, 110), True), ((100, 100, 40), False),
     ((400, 100, 100), False), ((100, 100, 300), False)],
)  # fmt: skip
def test_landmarks_far_from_their_roi_are_not_believed(found, near):
    roi = square(100, 100, 122)
    (closer,) = closer_rois([corners(*found)], [roi])
    np.testing.assert_allclose(closer, square(*found) if near else roi, atol=1e-3)


@pytest.mark.parametrize("points", [np.full((2, 68), np.nan), np.zeros((2, 68))])
def test_landmarks_that_are_none_leave_the_roi(points):
    assert closer_rois([points], [square(100, 100, 122)]) == [square(100, 100, 122)]


def test_a_further_look_may_not_leave_where_the_face_was_said_to_be():
    given, then = square(100, 100, 122), square(130, 100, 100)
    beside = corners(165, 100, 100)
    assert closer_rois([beside], [then]) != [then]
    assert closer_rois([beside], [then], [given]) == [then]


def test_no_face_is_no_roi():
    assert closer_rois([], []) == [] and were_off([], []) == []
    assert params_in(np.zeros((0, 62)), [], []).shape == (0, 62)


@pytest.mark.parametrize(
    ("closer", "off"),
    [((100, 100, 100), False), ((120, 100, 100), True), ((100, 100, 85), True)],
)
def test_boxes_that_sit_right_need_no_third_look(closer, off):
    assert were_off([square(100, 100, 122)], [square(*closer)]) == ([0] if off else [])


def test_parameters_in_another_roi_are_the_same_face_in_the_picture():
    generator = np.random.default_rng(3)
    params = generator.normal(size=(3, 62)).astype(np.float32) * 40
    old = [square(100, 90, 120), square(10, -20, 55), square(640, 400, 800)]
    new = [square(120, 80, 140), square(10, -20, 55), square(500, 300, 333)]
    moved = params_in(params, old, new, SIZE)
    before, after = (
        image_cameras(split_params(p), rois, SIZE) for p, rois in ((params, old), (moved, new))
    )
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-2)
    np.testing.assert_array_equal(moved[:, 12:], params[:, 12:])
    np.testing.assert_allclose(moved[1], params[1], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("blendshapes", [False, True])
def test_a_mirrored_crop_has_the_mirrored_answer(portrait, blendshapes):
    """One look at each differs; the mean of both looks cannot."""
    aligner = TDDFA_ONNX(blendshapes=blendshapes, **vars(load_config("default")))
    looking = aligner.with_second_look()
    crops = network_input(portrait, ROIS)
    mirror = parameter_mirror(aligner.bfm, SIZE)
    once, again = aligner.regress(crops), mirror(aligner.regress(mirrored_crops(crops)))
    assert np.abs(once - again).max() > 0.01
    both, other = looking.regress_all(crops), looking.regress_all(mirrored_crops(crops))
    params, shapes = both.params, both.blendshapes
    np.testing.assert_allclose(params, (once + again) / 2, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(looking.regress(crops), params, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(mirror(other.params), params, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(other.mirror_errors, both.mirror_errors, rtol=0.2)
    assert aligner.regress_all(crops).mirror_errors is None
    if blendshapes:
        np.testing.assert_allclose(other.blendshapes[:, MIRRORED], shapes, atol=1e-3)
    else:
        assert shapes is None
    assert aligner.mirror is None and aligner.session is looking.session
    assert looking.regress(crops[:0]).shape == (0, 62)
    assert looking.regress_all(crops[:0]).blendshapes is None


def test_the_second_look_is_where_the_first_one_found_the_face(portrait, aligner):
    looking = aligner.with_second_look()
    given = [square(228, 115, 150), square(240, 125, 190)]
    closer = looking.closer(portrait, given)
    params = aligner.align_rois(portrait, [given[0]])
    around = square_around(aligner.recon_vers(list(params), [given[0]])[0])
    np.testing.assert_allclose(closer[0], around, atol=1.01)  # in whole pixels
    assert np.array_equal(np.round(closer), closer)
    assert aligner.closer(portrait, given) is given
    assert looking.closer(portrait, []) == []
    # Boxes that differ end closer to each other, and so do landmarks.
    apart = [np.abs(np.subtract(*rois)).max() for rois in (given, closer)]
    assert apart[1] < 0.4 * apart[0]
    one, two = (
        np.stack(a.recon_vers(list(a.align_rois(portrait, given)), given))[:, :2]
        for a in (aligner, looking)
    )
    assert np.abs(two[1] - two[0]).mean() < 0.6 * np.abs(one[1] - one[0]).mean()


def test_align_rois_answers_in_the_frame_of_the_rois_given(portrait, aligner):
    looking = aligner.with_second_look()
    given = [square(228, 115, 160)]
    closer = looking.closer(portrait, given)
    inside = looking.regress(network_input(portrait, closer))
    np.testing.assert_allclose(
        looking.recon_vers(list(looking.align_rois(portrait, given)), given)[0],
        looking.recon_vers(list(inside), closer)[0],
        atol=0.01,
    )
    assert looking.align_rois(portrait, []).shape == (0, 62)


def test_rolled_faces_are_looked_at_upright_both_times(portrait, aligner):
    looking = aligner.with_second_look()
    turned = np.ascontiguousarray(np.rot90(portrait))  # the face lies on its left
    roi = square(115, 511 - 228, 150)
    upright = looking.closer(turned, [roi], [90.0])
    expected = looking.closer(portrait, [square(228, 115, 150)])
    left, top, right, bottom = expected[0]
    np.testing.assert_allclose(upright[0], [top, 511 - right, bottom, 511 - left], atol=2.5)


def test_still_pictures_are_looked_at_again_and_videos_once(portrait):
    aligner, plain = FaceAligner(), FaceAligner(second_look=False)
    assert aligner.picture_aligner.mirror is not None and aligner.aligner.mirror is None
    assert plain.picture_aligner is plain.aligner
    (face,), (once,) = aligner(portrait), plain(portrait)
    assert 0 < np.abs(face.landmarks - once.landmarks).max() < 4
    np.testing.assert_array_equal(face.box, once.box)
    assert face.roi_box != once.roi_box
    (given,) = aligner.align(portrait, [np.r_[face.box[:4], 1.0]])
    np.testing.assert_allclose(given.landmarks, face.landmarks, atol=0.05)


def test_around_landmarks_one_look_is_enough(portrait):
    aligner, plain = FaceAligner(), FaceAligner(second_look=False)
    points = [aligner(portrait)[0].landmarks]
    (face,), (once,) = (a.align(portrait, landmarks=points) for a in (aligner, plain))
    np.testing.assert_array_equal(face.landmarks, once.landmarks)


def test_boxes_that_sit_badly_matter_less(portrait):
    """Of boxes moved about, landmarks of the second look scatter less than those of one look."""
    aligner, plain = FaceAligner(), FaceAligner(second_look=False)
    box = plain(portrait)[0].box[:4]
    side = box[2] - box[0]
    moves = [(0, 0, 0), (0.15, 0, 0), (-0.15, 0, 0.1), (0, 0.15, 0.15), (0, -0.12, -0.05)]
    boxes = [box + side * np.array([x - g, y - g, x + g, y + g]) for x, y, g in moves]
    scatter = [
        np.std([f.landmarks[:2] for f in a.align(portrait, boxes)], axis=0).mean()
        for a in (plain, aligner)
    ]
    assert scatter[1] < 0.6 * scatter[0]


def test_many_faces_are_not_one_batch(portrait, aligner, monkeypatch):
    looking, batches = aligner.with_second_look(), []
    forward = looking.forward
    monkeypatch.setattr(looking, "forward", lambda x: (batches.append(len(x)), forward(x))[1])
    monkeypatch.setattr("tddfa.aligner._BATCH", 4)
    given = [square(228, 115, 120 + 5 * i) for i in range(10)]
    closer = looking.closer(portrait, given)
    assert batches[:3] == [4, 4, 2] and max(batches) == 4
    monkeypatch.setattr("tddfa.aligner._BATCH", 64)
    np.testing.assert_allclose(closer, looking.closer(portrait, given), atol=0.05)


def pickled(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickled])
def test_copies_look_as_often(portrait, aligner, clone):
    for original in (aligner, aligner.with_second_look()):
        again = clone(original)
        assert (again.mirror is None) == (original.mirror is None)
        crops = network_input(portrait, ROIS)
        np.testing.assert_allclose(again.regress(crops), original.regress(crops), atol=1e-4)


def test_the_references_names_look_once():
    assert TDDFA_ONNX(**vars(load_config("default"))).mirror is None
    assert not pickled(FaceAligner(second_look=False)).picture_aligner.mirror


@pytest.mark.parametrize(
    ("parse", "words"),
    [
        (partial(image_arguments.parse_args, prog="tddfa image"), ["-f", "a.png"]),
        (image_arguments.parse_args, ["-f", "a.png"]),
        (label.parse_args, ["a.png", "--out", "rows"]),
        (partial(web.parse_args, prog="tddfa web"), []),
    ],
)
def test_commands_for_pictures_pass_it_on(parse, words):
    assert aligner_arguments(parse(words))["second_look"]
    assert not aligner_arguments(parse([*words, "--no_second_look"]))["second_look"]


def test_models_in_the_references_format_are_looked_at_once(shared):
    aligner = FaceAligner("configs/reference_mb05.yml", assets=str(shared / "upstream"))
    assert aligner.picture_aligner is aligner.aligner


def test_two_looks_say_how_far_they_are_apart(portrait):
    from tddfa import FaceAligner

    looking = FaceAligner(threads=1)
    (face,) = looking.detect(portrait)
    assert 0 < face.mirror_error < 0.03
    (nothing,) = looking.align(portrait, boxes=[[0, 400, 90, 490]])
    assert nothing.mirror_error > 2 * face.mirror_error
    (once,) = FaceAligner(threads=1, second_look=False).detect(portrait)
    (followed,) = next(iter(looking.track([portrait]))).faces
    assert once.mirror_error is None and followed.mirror_error is None


@pytest.mark.parametrize("points", [np.zeros((0, 3, 68)), np.zeros((0, 2, 5), np.float32)])
def test_no_landmarks_are_not_apart(points):
    assert landmarks_apart(points, points).shape == (0,)


def test_landmarks_of_no_size_or_no_numbers_are_far_apart():
    face = np.random.default_rng(0).normal(0, 30, (2, 3, 68))
    assert landmarks_apart(np.zeros((1, 2, 68)), np.ones((1, 2, 68))) > 1000
    assert np.isinf(landmarks_apart(face, face * np.nan)).all()
    np.testing.assert_array_equal(landmarks_apart(face, face), 0)
    # Depth does not count, and a larger face may err by more.
    shifted = face + np.array([0, 0, 9.0])[:, None]
    np.testing.assert_allclose(landmarks_apart(face, shifted), 0)
    np.testing.assert_allclose(
        landmarks_apart(face * 3, face * 3 + 6), landmarks_apart(face, face + 2), rtol=1e-5
    )
