import numpy as np
import pytest

from tddfa.fit import LandmarkFitter, load_landmark_basis
from tddfa.ibug68 import LID_PAIRS, MEDIAPIPE
from tddfa.landmark_basis import DEFAULT_MODEL as FACE_MODEL
from tddfa.model_files import load_face_model
from training.evaluation.metrics import lid_gap, lip_gap
from training.labels.annotation import Annotations
from training.labels.consensus import common, fit_alone, fuse
from training.labels.joint_fit import (
    JAW_REACH,
    OPENING_PAIRS,
    Faces,
    Fusion,
    annotation_weights,
    mesh_share,
    point_weights,
    reach,
)
from training.labels.pseudo_labels import angles
from training.mediapipe_points import N_POINTS, FacePoints
from training.teacher_landmarks import SecondOpinion

CENTER = np.array([84.0, -84.0, 0.0])


def turned(degrees):
    a = np.radians(degrees)
    return np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])


@pytest.fixture(scope="module")
def bases():
    return load_landmark_basis(None, "mediapipe"), load_landmark_basis(None, "ibug")


@pytest.fixture(scope="module")
def fusion(bases):
    return Fusion(*bases)


def true_faces(bases, yaws, seed=0):
    generator = np.random.default_rng(seed)
    n, mesh = len(yaws), bases[0]
    low, high = mesh.exp_range.T
    alpha = np.c_[
        generator.normal(0, 0.7, (n, mesh.n_shape)),
        low + (high - low) * generator.uniform(0.1, 0.4, (n, len(low))),
    ]
    rotation = np.stack([turned(yaw) for yaw in yaws])
    scale = np.full(n, 85 / np.ptp(mesh.mean[:, 1]))
    return Faces(scale, rotation, np.tile(CENTER, (n, 1)), alpha)


def placed(basis, faces):
    shape = basis.mean + np.tensordot(faces.alpha, basis.components, axes=(1, 2))
    turned_points = shape @ faces.rotation.transpose(0, 2, 1)
    return faces.scale[:, None, None] * turned_points + faces.translation[:, None]


def rough(faces):
    n = len(faces.scale)
    return Faces(
        faces.scale * 1.05,
        np.stack([turned(4)] * n) @ faces.rotation,
        faces.translation + np.array([2, -1, 5]),
        np.zeros_like(faces.alpha),
    )


def apart(first, second):
    return np.linalg.norm((first - second)[:, :, :2], axis=2).mean(axis=1)


def test_exact_points_are_met_at_any_yaw(bases, fusion):
    yaws = np.array([0.0, -20, 45, 70, -90])
    faces = true_faces(bases, yaws)
    mesh, points = placed(bases[0], faces), placed(bases[1], faces)
    found = fusion.fit(rough(faces), mesh[:, :, :2], points, yaws)
    assert apart(placed(bases[1], found), points).max() < 0.6  # priors pull at the coefficients
    np.testing.assert_allclose(found.rotation, faces.rotation, atol=0.05)


def test_both_together_are_better_than_each(bases, fusion):
    yaws = np.linspace(-25, 25, 40)
    faces = true_faces(bases, yaws, 1)
    generator = np.random.default_rng(2)
    mesh, points = placed(bases[0], faces), placed(bases[1], faces)
    # Each opinion is off as a whole, by itself.
    seen = mesh[:, :, :2] + generator.normal(0, 1.5, (40, 1, 2))
    other = points + generator.normal(0, 1.5, (40, 1, 3)) * [1, 1, 0]
    both = apart(placed(bases[1], fusion.fit(rough(faces), seen, other, yaws)), points)
    alone = LandmarkFitter(bases[0]).fit(seen * [1, -1])
    first = Faces(
        alone.scale,
        alone.rotation,
        np.c_[alone.translation * [1, -1], np.zeros(40)],
        np.c_[alone.shape, alone.expression],
    )
    assert both.mean() < 0.95 * apart(placed(bases[1], first), points).mean()
    assert both.mean() < 0.95 * apart(other, points).mean()


def test_without_mediapipe_the_other_opinion_holds(bases, fusion):
    yaws = np.array([0.0, 80])
    faces = true_faces(bases, yaws)
    points = placed(bases[1], faces)
    nothing = np.full((2, len(bases[0].mean), 2), np.nan)
    found = fusion.fit(rough(faces), nothing, points, yaws)
    assert apart(placed(bases[1], found), points).max() < 0.6


def test_beyond_profiles_mediapipe_does_not_count(bases, fusion):
    yaws = np.array([75.0])
    faces = true_faces(bases, yaws)
    points = placed(bases[1], faces)
    wrong = placed(bases[0], faces)[:, :, :2] + 30
    nothing = np.full_like(wrong, np.nan)
    first, second = (fusion.fit(rough(faces), mesh, points, yaws) for mesh in (wrong, nothing))
    np.testing.assert_allclose(first.alpha, second.alpha, atol=1e-4)


def test_lids_are_mediapipes_where_it_counts():
    lids = [point for eye in LID_PAIRS for pair in eye[:2] for point in pair]
    weights = point_weights(np.array([1.0, 0.0]))
    assert (weights[0, lids] == 0).all() and (weights[1, lids] > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), [0.5, 1])
    assert mesh_share([0, 30, 45, 60, -90]).tolist() == [1, 1, 0.5, 0, 0]


def with_coefficient(faces, bases, exp_names, name, value):
    alpha = faces.alpha.copy()
    alpha[:, bases[0].n_shape + exp_names.index(name)] = value
    return Faces(faces.scale, faces.rotation, faces.translation, alpha)


def gaps(bases, faces, measure):
    return measure(placed(bases[1], faces).transpose(0, 2, 1)[:, :2])


@pytest.mark.parametrize(
    ("name", "value", "measure"),
    [
        ("jaw_open", 5.4, lip_gap),
        ("jaw_open", 7.5, lip_gap),
        ("blink_left", 4.0, lambda points: lid_gap(points)[:, 1]),
        ("blink_right", 4.0, lambda points: lid_gap(points)[:, 0]),
    ],
)
def test_lids_and_lips_open_as_far_as_the_hand_marked_them(bases, name, value, measure):
    # Seven pairs of points against everything else that both opinions say.
    exp_names = load_face_model(FACE_MODEL).exp_names
    yaws = np.array([0.0, 15])
    faces = true_faces(bases, yaws)
    marked = with_coefficient(faces, bases, exp_names, name, value)
    fusion = Fusion(*bases, bounds=reach(bases[0].exp_range, exp_names))
    mesh, points = placed(bases[0], faces)[:, :, :2], placed(bases[1], faces)
    by_hand = placed(bases[1], marked)[:, :, :2]
    found = fusion.fit(rough(faces), mesh, points, yaws, by_hand)
    before, after = gaps(bases, faces, measure), gaps(bases, marked, measure)
    moved = (gaps(bases, found, measure) - before) / (after - before)
    assert (moved > 0.75).all() and (moved < 1.15).all()


@pytest.mark.parametrize("yaw", [0.0, 15, -20])
def test_labels_open_jaws_beyond_the_models_range(bases, yaw):
    model = load_face_model(FACE_MODEL)
    jaw = bases[0].n_shape + model.exp_names.index("jaw_open")
    yaws = np.array([yaw])
    faces = with_coefficient(true_faces(bases, yaws), bases, model.exp_names, "jaw_open", 7.5)
    marks = np.zeros((1, N_POINTS, 3), np.float32)
    marks[:, :468, :2] = placed(bases[0], faces)[:, :, :2] * [1, -1] + 0.5
    points = FacePoints(np.array(["a/0.webp"]), marks)
    other = placed(bases[1], faces).transpose(0, 2, 1) * np.array([1, -1, 1])[:, None]
    second = SecondOpinion(points.names, other.astype(np.float32))
    for labels in (fit_alone(points, model), fuse(points, second, model)):
        assert labels.alpha[0, jaw] > 1.1 * bases[0].exp_range[0, 1]
        found = Faces(faces.scale, faces.rotation, faces.translation, labels.alpha)
        assert gaps(bases, found, lip_gap) == pytest.approx(gaps(bases, faces, lip_gap), rel=0.1)


def test_lids_and_lips_of_a_profile_do_not_count_by_themselves(bases):
    # MediaPipe guesses the far side: its points hold together, its openings not by themselves.
    yaws = np.array([75.0])
    faces = true_faces(bases, yaws)
    mesh, points = placed(bases[0], faces)[:, :, :2], placed(bases[1], faces)
    shut = mesh.copy()
    pairs = np.array([[MEDIAPIPE[point] for point in pair] for pair in OPENING_PAIRS])
    shut[:, pairs[:, 0]] = shut[:, pairs[:, 1]]
    fusion = Fusion(*bases)
    with_term = fusion.fit(rough(faces), shut, points, np.zeros(1), mesh_alone=True)
    without = fusion.fit(rough(faces), shut, points, yaws, mesh_alone=True)
    true_lids = gaps(bases, faces, lid_gap)
    assert (gaps(bases, without, lid_gap) > gaps(bases, with_term, lid_gap) + 0.1 * true_lids).all()


def test_nobody_has_no_labels(bases):
    model = load_face_model(FACE_MODEL)
    nobody = FacePoints(np.array(["a/0.webp"]), np.full((1, N_POINTS, 3), np.nan, np.float32))
    assert len(fit_alone(nobody, model).names) == 0
    other = SecondOpinion(np.array(["b/0.webp"]), np.zeros((1, 3, 68), np.float32))
    assert len(fuse(nobody, other, model).names) == 0


def test_the_jaw_alone_goes_beyond_the_models_range():
    bounds = reach(np.array([[0.0, 5], [-1, 4]]), ("jaw_open", "smile"))
    assert bounds.tolist() == [[0, 5 * JAW_REACH], [-1, 4]]
    assert reach(np.array([[-1.0, 4]]), ("smile",)).tolist() == [[-1, 4]]


def crops_of(bases, yaws):
    """The same faces as both opinions' archives hold them."""
    faces = true_faces(bases, yaws)
    n = len(yaws)
    marks = np.zeros((n, N_POINTS, 3), np.float32)
    marks[:, :468, :2] = placed(bases[0], faces)[:, :, :2] * [1, -1] + 0.5
    points = placed(bases[1], faces).transpose(0, 2, 1) * np.array([1, -1, 1])[:, None]
    names = np.array([f"a/{i}.webp" for i in range(n)])
    return FacePoints(names, marks), SecondOpinion(names, points.astype(np.float32))


def test_labels_put_the_mesh_on_both(bases):
    found, second = crops_of(bases, [0, -25, 40, 85])
    found.points[3] = np.nan
    labels = fuse(found, second, load_face_model(FACE_MODEL))
    assert np.isfinite(labels.residual).all()
    np.testing.assert_allclose(angles(labels.camera)[0], [0, 25, -40, -85], atol=3)
    shape = bases[1].mean + np.tensordot(labels.alpha, bases[1].components, axes=(1, 2))
    canvas = shape @ labels.camera[:, :, :3].transpose(0, 2, 1) + labels.camera[:, None, :, 3]
    expected = second.points.transpose(0, 2, 1)[:, :, :2] + 0.5
    expected[:, :, 1] = 168 - expected[:, :, 1]
    assert apart(canvas, np.concatenate([expected, expected[:, :, :1]], 2)).max() < 0.8


def test_contradictions_and_faces_that_one_alone_sees_are_doubted(bases):
    found, second = crops_of(bases, [0, 0, 0, 85])
    second.points[1] += 12
    found.points[2:] = np.nan
    labels = fuse(found, second, load_face_model(FACE_MODEL))
    assert np.isfinite(labels.residual).tolist() == [True, False, False, True]


def test_only_crops_that_both_know_are_kept_in_one_order(bases):
    found, second = crops_of(bases, [0, 10, 20])
    order = np.array([2, 0])
    some = SecondOpinion(second.names[order], second.points[order])
    first, other = common(found, some)
    assert first.names.tolist() == other.names.tolist() == ["a/0.webp", "a/2.webp"]
    assert (other.points == second.points[[0, 2]]).all()


def test_points_by_hand_draw_the_face_to_them(bases, fusion):
    yaws = np.array([0.0, 20, 70])
    faces = true_faces(bases, yaws)
    points = placed(bases[1], faces)
    nothing = np.full((3, len(bases[0].mean), 2), np.nan)
    wrong = points + np.array([3, 0, 0])
    by_hand = points[:, :, :2].copy()
    by_hand[1] = np.nan
    found = placed(bases[1], fusion.fit(rough(faces), nothing, wrong, yaws, by_hand))
    away = apart(found, points)
    # The first lies between both; the second has no marks, the third is beyond their use.
    assert away[0] < 2.2 and away[1:].min() > 2.4


def test_what_is_marked_on_an_outline_does_not_count_when_turned():
    weights = annotation_weights(np.array([0.0, 20, -70, 0]), np.array([True, True, True, False]))
    assert (weights[0] > 0).all() and weights[0, 17:].sum() == pytest.approx(1)
    assert (weights[1, :17] == 0).all() and (weights[1, 17:] > 0).all()
    assert not weights[2:].any()


def test_faces_that_meet_the_marks_are_not_doubted(bases):
    found, second = crops_of(bases, [0, 0, 0])
    marks = second.points.transpose(0, 2, 1)[:, :, :2].astype(np.float64)
    second.points[1] += 12
    found.points[2:] = np.nan
    by_hand = Annotations(second.names, marks + np.array([0, 0, 30])[:, None, None])
    labels = fuse(found, second, load_face_model(FACE_MODEL), None, by_hand)
    # The marks of the third are not on its face; those of the second side with MediaPipe.
    assert np.isfinite(labels.residual).tolist() == [True, True, False]
    by_hand = Annotations(second.names[2:], marks[2:])
    labels = fuse(found, second, load_face_model(FACE_MODEL), None, by_hand)
    # Without MediaPipe's points and against the other opinion, if the marks say so.
    assert np.isfinite(labels.residual).tolist() == [True, False, True]


def test_agreement_weighs_faces(bases):
    found, second = crops_of(bases, [0, 0, 85, 85])
    found.points[2:] = np.nan
    spread = np.array([0.5, 6, 0.5, 12], np.float32)
    given = SecondOpinion(second.names, second.points, spread)
    labels = fuse(found, given, load_face_model(FACE_MODEL))
    assert np.isfinite(labels.residual).all()
    assert labels.weight[[0, 2]].min() > 0.8 > 0.3 > labels.weight[[1, 3]].max()


def test_networks_that_agree_do_without_points_on_half_profiles(bases):
    found, second = crops_of(bases, [52, 30])
    found.points[:] = np.nan
    model = load_face_model(FACE_MODEL)
    assert not np.isfinite(fuse(found, second, model).residual).any()
    given = SecondOpinion(second.names, second.points, np.ones(2, np.float32))
    assert np.isfinite(fuse(found, given, model).residual).tolist() == [True, False]
