"""Smoothers: what they must not change, what they must calm, where they must stop."""

from dataclasses import replace

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.onnx_backend import TDDFA_ONNX
from tddfa.tracking.confirmation import keep_confirmed
from tddfa.tracking.face_state import FaceState
from tddfa.tracking.live_smoothing import LiveSmoother, smooth_one_euro
from tddfa.tracking.smoothing import smooth_mean

IMAGE = np.zeros((4, 4, 3), np.uint8)
ROI = [100.0, 80.0, 260.0, 240.0]


@pytest.fixture(scope="module")
def aligner(small_config):
    return TDDFA_ONNX(**small_config)


def rotation(yaw, pitch=0.0):
    c, s, d, t = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ [[1, 0, 0], [0, d, -t], [0, t, d]]


def make_face(aligner, number=1, *, yaw=0.1, x=60.0, shape=0.0, noise=None, roi=ROI, dense=False):
    param = np.zeros(62, np.float32)
    param[:12] = np.hstack([0.4 * rotation(yaw), [[x], [55.0], [0.0]]]).ravel()
    param[12:] = shape
    if noise is not None:
        param += noise
    landmarks = aligner.recon_vers([param], [roi])[0]
    vertices = aligner.recon_vers([param], [roi], dense_flag=True)[0] if dense else None
    return Face(0.9, list(roi), param, landmarks, track_id=number, dense=vertices)


def film(faces, *, cuts=(), rate=25.0):
    """Frames of which each has the given faces."""
    return [Frame(i, i / rate, IMAGE, list(f), i in cuts, i) for i, f in enumerate(faces)]


def noisy(aligner, count, **options):
    rng = np.random.default_rng(0)
    scale = np.float32([0.004] * 3 + [0.8]).repeat(3).reshape(4, 3).T.ravel()
    noises = [np.r_[rng.normal(size=12) * scale, rng.normal(size=50) * 0.05] for _ in range(count)]
    return [[make_face(aligner, noise=n.astype(np.float32), **options)] for n in noises]


def jitter(frames):
    tracks = np.stack([f.faces[0].landmarks[:2] for f in frames])
    return float(np.linalg.norm(np.diff(tracks, 2, axis=0), axis=1).mean())


SMOOTHERS = {
    "mean": lambda frames, aligner: smooth_mean(frames, 2, 2),
    "one_euro": smooth_one_euro,
}
both = pytest.mark.parametrize("smoother", SMOOTHERS.values(), ids=SMOOTHERS)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
@pytest.mark.parametrize(("n_pre", "n_next"), [(0, 0), (1, 1), (0, 3), (3, 0), (9, 9)])
def test_as_many_frames_as_came_in_with_their_times(aligner, count, n_pre, n_next):
    frames = film(noisy(aligner, count))
    out = list(smooth_mean(frames, n_pre, n_next))
    assert [(f.index, f.time, f.pts) for f in out] == [(f.index, f.time, f.pts) for f in frames]


def test_mean_over_nothing_is_no_smoothing(aligner):
    frames = film(noisy(aligner, 5))
    assert all(a is b for a, b in zip(frames, smooth_mean(frames, 0, 0), strict=True))


@pytest.mark.parametrize("window", [(-1, 1), (1, -1)])
def test_negative_window(window):
    with pytest.raises(InputError, match="n_pre, n_next"):
        list(smooth_mean([], *window))


@both
def test_static_clip_stays_as_it_is(aligner, smoother):
    frames = film([[make_face(aligner, yaw=0.4, shape=0.3, dense=True)] for _ in range(8)])
    for before, after in zip(frames, smoother(frames, aligner), strict=True):
        a, b = before.faces[0], after.faces[0]
        np.testing.assert_allclose(b.landmarks, a.landmarks, atol=2e-3)
        np.testing.assert_allclose(b.vertices, a.vertices, atol=2e-3)
        np.testing.assert_allclose(b.param, a.param, atol=2e-4)


def test_mean_of_a_static_clip_is_the_identity_to_the_bit(aligner):
    frames = film([[make_face(aligner, yaw=0.4, dense=True)] for _ in range(8)])
    for before, after in zip(frames, smooth_mean(frames, 2, 1), strict=True):
        np.testing.assert_array_equal(after.faces[0].landmarks, before.faces[0].landmarks)
        np.testing.assert_array_equal(after.faces[0].vertices, before.faces[0].vertices)


def test_mean_is_the_references_window_padded_with_copies(aligner):
    frames = film(noisy(aligner, 6, dense=True))
    for name in ("landmarks", "vertices"):
        rows = np.stack([getattr(f.faces[0], name) for f in frames]).astype(np.float64)
        padded = np.concatenate([rows[:1]] * 2 + [rows] + [rows[-1:]])
        expected = np.stack([padded[i : i + 4].mean(axis=0) for i in range(6)])
        got = np.stack([getattr(f.faces[0], name) for f in smooth_mean(frames, 2, 1)])
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-3)


@both
def test_trembling_face_is_calmed(aligner, smoother):
    frames = film(noisy(aligner, 60))
    assert jitter(list(smoother(frames, aligner))) < 0.5 * jitter(frames)


@both
def test_parameters_give_the_landmarks(aligner, smoother):
    for frame in smoother(film(noisy(aligner, 6)), aligner):
        face = frame.faces[0]
        again = aligner.recon_vers([face.param], [face.roi_box])[0]
        # The mean of rotated shapes is not quite the rotated mean shape.
        np.testing.assert_allclose(again[:2], face.landmarks[:2], atol=0.5)


@both
def test_nothing_crosses_a_cut(aligner, smoother):
    left, right = [make_face(aligner, x=20.0)], [make_face(aligner, x=100.0)]
    frames = film([left] * 5 + [right] * 5, cuts=(0, 5))
    for before, after in zip(frames, smoother(frames, aligner), strict=True):
        np.testing.assert_allclose(after.faces[0].landmarks, before.faces[0].landmarks, atol=2e-3)


@both
def test_nothing_passes_between_faces(aligner, smoother):
    faces = [
        [make_face(aligner, 1, x=20.0), make_face(aligner, 2, x=100.0)][:: (-1) ** i]
        for i in range(8)
    ]
    frames = film(faces)
    for before, after in zip(frames, smoother(frames, aligner), strict=True):
        for a, b in zip(before.faces, after.faces, strict=True):
            assert a.track_id == b.track_id
            np.testing.assert_allclose(b.landmarks, a.landmarks, atol=2e-3)


@both
def test_face_that_was_away_begins_anew(aligner, smoother):
    frames = film(
        [[make_face(aligner, x=20.0)]] * 4 + [[]] * 8 + [[make_face(aligner, x=100.0)]] * 4
    )
    for before, after in zip(frames, smoother(frames, aligner), strict=True):
        for a, b in zip(before.faces, after.faces, strict=True):
            np.testing.assert_allclose(b.landmarks, a.landmarks, atol=2e-3)


def test_one_euro_follows_a_fast_face(aligner):
    frames = film([[make_face(aligner, x=20.0 + 6 * t)] for t in range(20)])
    last = list(smooth_one_euro(frames, aligner))[-1].faces[0]
    lag = np.abs(last.landmarks - frames[-1].faces[0].landmarks).max()
    assert lag < 0.15 * frames[-1].faces[0].size


def test_shape_changes_slower_than_expression(aligner):
    smooth = LiveSmoother(aligner)
    first, second = make_face(aligner), make_face(aligner, shape=1.0)
    smooth([first], 0.0)
    (face,) = smooth([second], 0.04)
    assert face.param[12:52].max() < 0.5 * face.param[52:].min() < 0.5


@pytest.mark.parametrize("times", [[0.0, 0.0, 0.0], [1.0, 0.5, 0.9], [0.0, 100.0, 100.04]])
def test_one_euro_with_odd_clocks(aligner, times):
    smooth = LiveSmoother(aligner)
    for time in times:
        (face,) = smooth([make_face(aligner, yaw=time)], time)
        assert np.isfinite(face.landmarks).all()


def test_one_euro_forgets_tracks_that_ended(aligner):
    smooth = LiveSmoother(aligner)
    for number in range(50):
        smooth([make_face(aligner, number)], number * 0.04)
    assert len(smooth._histories) < 10


@pytest.mark.parametrize("roi", [ROI, [-50.5, 10.25, 30.5, 91.25]])
def test_state_and_back(aligner, roi):
    face = make_face(aligner, yaw=0.7, shape=0.2, roi=roi, dense=True)
    state = FaceState.of(face, aligner.size)
    np.testing.assert_allclose(state.param(roi, aligner.size), face.param, atol=1e-4)
    again = state.apply(face, aligner)
    np.testing.assert_allclose(again.landmarks, face.landmarks, atol=1e-3)
    np.testing.assert_allclose(again.vertices, face.vertices, atol=1e-3)


def test_state_does_not_depend_on_the_crop(aligner):
    face = make_face(aligner)
    state = FaceState.of(face, aligner.size)
    other = [ROI[0] - 31, ROI[1] + 12, ROI[0] + 169, ROI[1] + 212]
    moved = Face(0.9, other, state.param(other, aligner.size), face.landmarks, track_id=1)
    again = FaceState.of(moved, aligner.size)
    np.testing.assert_allclose(again.linear, state.linear, atol=1e-4)
    np.testing.assert_allclose(again.offset, state.offset, atol=1e-3)


def tracked(number, confirmed, score=0.6):
    param, points = np.zeros(62, np.float32), np.zeros((3, 68))
    return Face(score, ROI, param, points, track_id=number, confirmed=confirmed)


def ids(frames, wait):
    return [[face.track_id for face in f.faces] for f in keep_confirmed(frames, wait)]


def test_confirmed_later_counts_from_the_beginning():
    frames = film([[tracked(1, False)], [tracked(1, False)], [tracked(1, True)], []])
    assert ids(frames, 3) == [[1], [1], [1], []]
    assert ids(frames, 0) == [[], [], [1], []]


def test_never_confirmed_does_not_count():
    frames = film([[tracked(1, False)], [tracked(1, False)], [], [], [], []])
    assert ids(frames, 3) == [[]] * 6


@pytest.mark.parametrize(("score", "kept"), [(0.95, [1]), (0.4, [])])
def test_last_frame_counts_if_sure(score, kept):
    assert ids(film([[tracked(1, False, score)]]), 3) == [kept]
    frames = film([[tracked(1, False, score)], []], cuts=(1,))
    assert ids(frames, 3) == [kept, []]


def test_mean_goes_back_from_the_frame_itself(aligner):
    """What was before a gap in the track is not its past."""
    far, near = [make_face(aligner, x=20.0)], [make_face(aligner, x=100.0)]
    frames = film([far, [], near, near])
    smoothed = list(smooth_mean(frames, 2, 0))
    for index in (2, 3):
        np.testing.assert_array_equal(smoothed[index].faces[0].landmarks, near[0].landmarks)


@pytest.mark.parametrize("wait", [0, 1, 3])
def test_confirmation_waits_as_long_as_it_may(aligner, wait):
    """A face that is confirmed `wait` frames later is there from its first frame on."""
    face = make_face(aligner)
    faces = [replace(face, score=0.6, confirmed=index >= wait) for index in range(wait + 2)]
    taken = []

    def frames():
        for frame in film([[face] for face in faces]):
            taken.append(frame.index)
            yield frame

    out = []
    for frame in keep_confirmed(frames(), wait):
        assert len(taken) == min(frame.index + wait + 1, len(faces))
        out.append(len(frame.faces))
    assert out == [1] * len(faces)


def with_shapes(faces, values):
    return [
        [replace(face, blendshapes=np.full(52, value, np.float32)) for face in row]
        for row, value in zip(faces, values, strict=True)
    ]


def test_blendshapes_are_averaged_like_everything_else(aligner):
    faces = with_shapes([[make_face(aligner)] for _ in range(3)], [0.0, 0.3, 0.9])
    found = [frame.faces[0].blendshapes[0] for frame in smooth_mean(film(faces))]
    np.testing.assert_allclose(found, [0.1, 0.4, 0.7], atol=1e-6)


def test_blendshapes_calm_down_and_a_blink_gets_through(aligner):
    rng = np.random.default_rng(0)
    values = rng.normal(0.3, 0.03, 60).clip(0, 1)
    values[40:] = 0.95
    faces = with_shapes([[make_face(aligner)] for _ in values], values)
    faces[30][0].blendshapes[1:] = 0.0  # another channel's leap
    found = np.array(
        [frame.faces[0].blendshapes[0] for frame in smooth_one_euro(film(faces), aligner)]
    )
    assert np.abs(np.diff(found[5:40])).max() < 0.5 * np.abs(np.diff(values[5:40])).max()
    assert found[43] > 0.85 and found.min() >= 0 and found.max() <= 1


def test_faces_without_blendshapes_get_none(aligner):
    for frames in (
        smooth_mean(film([[make_face(aligner)]] * 2)),
        smooth_one_euro(film([[make_face(aligner)]] * 2), aligner),
    ):
        assert all(frame.faces[0].blendshapes is None for frame in frames)
