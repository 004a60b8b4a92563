"""Labels of blendshapes: the fit on points whose truth is known, the network, and both together."""

import numpy as np
import pytest

from tddfa.arkit52 import NAMES, mirrored
from tddfa.errors import InputError
from training.blendshape_labels import label_points, main
from training.dataset.shards import Shards
from training.labels.blendshape_fit import BlendshapeFitter, bounded
from training.labels.blendshape_join import BlendshapeLabels, join, load_labels
from training.labels.blendshape_net import OUTPUTS, POINTS, BlendshapeNet, upright
from training.labels.mediapipe_mirror import MIRROR


@pytest.fixture(scope="module")
def fitter():
    return BlendshapeFitter()


@pytest.fixture(scope="module")
def network(shared):
    pytest.importorskip("ai_edge_litert")
    return BlendshapeNet(shared / "teachers" / "face_landmarker.task")


def face(fitter, yaw=0.0, **coefficients):
    """Points (478, 3) of the mean face, irises at the origin, pixels y down."""
    shape = fitter.fitter.basis.mean + fitter.moves @ [coefficients.get(n, 0.0) for n in NAMES]
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    shape = shape @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T
    points = np.zeros((478, 3))
    points[:468] = 0.8 * shape * [1, -1, 1]
    return points + np.array([84, 84, 0])


def test_of_no_face_there_is_nothing(fitter):
    assert fitter.fit(np.zeros((0, 478, 3))).shape == (0, 52)


@pytest.mark.parametrize("yaw", [0, 25])
@pytest.mark.parametrize(
    "name",
    ["jawOpen", "eyeBlinkLeft", "mouthSmileRight", "cheekPuff", "noseSneerLeft", "eyeWideRight"],
)
def test_the_fit_finds_what_moved_on_the_right_side(fitter, name, yaw):
    rest, moved = fitter.fit(np.stack([face(fitter, yaw), face(fitter, yaw, **{name: 0.8})]))
    change = moved - rest
    assert NAMES[int(change.argmax())] == name and change.max() > 0.35
    assert moved[NAMES.index(name)] <= 1
    if mirrored(name) != name:
        assert change[NAMES.index(mirrored(name))] < 0.15


def test_bounds_hold_and_the_lips_meet_only_before_an_open_jaw():
    rng = np.random.default_rng(0)
    half = rng.normal(size=(4, 60, 52))
    found = bounded(half.transpose(0, 2, 1) @ half, 30 * rng.normal(size=(4, 52)))
    assert (found >= 0).all() and (found <= 1).all()
    assert (found[:, NAMES.index("mouthClose")] <= found[:, NAMES.index("jawOpen")]).all()
    assert not found[:, [k for k, n in enumerate(NAMES) if n.startswith("eyeLook")]].any()


def test_the_networks_names_are_all_but_the_tongue():
    assert len(POINTS) == len(set(POINTS)) == 146 and len(OUTPUTS) == 52
    assert {*OUTPUTS} - {""} == {*NAMES} - {"tongueOut"}


def test_upright_undoes_roll(fitter):
    points = face(fitter)[:, :2]
    angle = np.radians(40)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(upright(points @ turn.T), upright(points), atol=1e-3)


def test_the_network_sees_mirrored_faces_mirrored(network, fitter):
    points = face(fitter, jawOpen=0.7, eyeBlinkLeft=0.9)
    points[468:] = points[[159] * 5 + [386] * 5]
    found, other = network(points), network(points[MIRROR] * [-1, 1, 1])
    np.testing.assert_allclose(other, found[[NAMES.index(mirrored(n)) for n in NAMES]], atol=1e-5)
    left, right = (found[NAMES.index(f"eyeBlink{side}")] for side in ("Left", "Right"))
    assert left > right + 0.1 and found[NAMES.index("tongueOut")] == 0
    np.testing.assert_allclose(network(3 * points + 500), found, atol=1e-4)


def test_joining_takes_the_fit_where_the_network_is_blind():
    rng = np.random.default_rng(1)
    seen, fitted = rng.uniform(0, 1, (40, 52)), rng.uniform(0, 1, (40, 52))
    found = join(seen.astype(np.float32), fitted.astype(np.float32))
    assert found.min() >= 0 and found.max() <= 1
    for name, source in (("mouthPucker", seen), ("cheekPuff", fitted)):
        k = NAMES.index(name)
        up = found[:, k] > 0
        assert np.corrcoef(found[up, k], source[up, k])[0, 1] > 0.999
        assert 9 <= (~up).sum() <= 11  # a quarter of the faces is at rest
    assert (found[:, NAMES.index("noseSneerLeft")] == 0).sum() == 20
    assert join(np.zeros((0, 52), np.float32), np.zeros((0, 52), np.float32)).shape == (0, 52)


def test_labels_by_name_are_missing_where_there_are_none():
    labels = BlendshapeLabels(np.array(["b", "a"]), np.eye(2, 52, dtype=np.float32))
    found = labels.of(np.array(["a", "c", "b"]))
    assert found[0, 1] == found[2, 0] == 1 and np.isnan(found[1]).all()


def test_the_command_goes_on_where_it_was(network, fitter, shared, tmp_path):
    points, out = tmp_path / "points", tmp_path / "shapes"
    points.mkdir()
    faces = np.stack([face(fitter), face(fitter, jawOpen=0.5), np.full((478, 3), np.nan)])
    Shards(points, "points").write(
        0, names=np.array(["a", "b", "lost"]), points=faces.astype(np.float32)
    )
    task = shared / "teachers" / "face_landmarker.task"
    assert label_points(points, out, task) == 2
    assert label_points(points, out, task) == 0
    assert sorted(load_labels(out).names) == ["a", "b"]
    with pytest.raises(InputError, match="another folder"):
        main([str(points), "--out", str(points), "--task", str(task)])
    with pytest.raises(InputError, match="blendshapes_"):
        load_labels(points)
