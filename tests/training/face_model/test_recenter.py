"""The re-parametrised face model: the same faces, labels and weights by other numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tddfa import load_face_model
from tddfa.checkpoints import load_labels, load_tensors, save_checkpoint
from tddfa.errors import InputError
from tddfa.params import load_parameter_scale, split_params
from tddfa.weight_labels import regressor_labels
from training.dataset.packed import open_packed
from training.face_model import population, recenter
from training.face_model.population import Population
from training.labels.pseudo_labels import landmarks


@pytest.fixture(scope="module")
def shipped(project_root):
    return recenter.read_model(project_root / "configs" / "face_model.npz")


@pytest.fixture(scope="module")
def before(shipped):
    """Return the arrays that the model was made of, up to half precision."""
    change, _ = recenter.change_of(shipped, "")
    basis = np.concatenate([shipped["w_shp"], shipped["w_exp"]], axis=1).astype(np.float64)
    basis /= change.scale
    u = shipped["u"].ravel() - basis @ change.center
    n_shape = shipped["w_shp"].shape[1]
    kept = {
        key: value
        for key, value in shipped.items()
        if key not in ("alpha_center", "alpha_scale", "recentered_from")
    }
    return kept | {
        "u": u.astype(np.float32),
        "w_shp": basis[:, :n_shape].astype(np.float16),
        "w_exp": basis[:, n_shape:].astype(np.float16),
        "exp_range": shipped["exp_range"] * change.scale[n_shape:, None]
        + change.center[n_shape:, None],
    }


@pytest.fixture
def change():
    generator = np.random.default_rng(1)
    return Population(generator.normal(size=50), generator.uniform(0.2, 1, 50))


def vertices(arrays, alpha):
    basis = np.concatenate([arrays["w_shp"], arrays["w_exp"]], axis=1).astype(np.float64)
    return (arrays["u"].reshape(-1) + basis @ alpha).reshape(-1, 3)


def test_faces_stay_as_they_are(before, shipped):
    """Coefficients of the width of real labels; half precision of the bases is all that is lost."""
    change, _ = recenter.change_of(shipped, "")
    generator = np.random.default_rng(0)
    for _ in range(5):
        alpha = change.center + change.scale * generator.normal(0, 1.5, 50)
        new = vertices(shipped, change.convert(alpha))
        assert np.abs(new - vertices(before, alpha)).max() < 0.03  # mm, of a head of 250


def test_dense_vertices_of_real_faces_agree(upstream, project_root, before, shipped, tmp_path):
    """What the network says of photographed faces, by the old numbers and by the new."""
    import cv2

    from tddfa.face_aligner import FaceAligner

    np.savez(tmp_path / "old.npz", **before)
    old = load_face_model(tmp_path / "old.npz")
    change, _ = recenter.change_of(shipped, "")
    picture = cv2.imread(str(upstream / "images" / "trump_hillary.jpg"))
    faces = FaceAligner()(picture)
    assert len(faces) >= 2
    for face in faces:
        parts = split_params(face.param)
        alpha = np.concatenate([parts.shape, parts.expression])[:, 0].astype(np.float64)
        previous = alpha * change.scale + change.center
        basis = np.concatenate([old.w_shp, old.w_exp], axis=1).astype(np.float64)
        shape = (old.u[:, 0] + basis @ previous).reshape(-1, 3)
        new = vertices(shipped, alpha)
        assert np.abs(shape - new).max() < 0.02


def test_the_shipped_model_is_the_population_applied(before, shipped, project_root):
    made = recenter.recentered(before, population.load())
    np.testing.assert_allclose(made["u"], shipped["u"].ravel(), atol=0.02)
    np.testing.assert_allclose(made["exp_range"], shipped["exp_range"], atol=1e-4)
    for key in ("w_shp", "w_exp"):
        ours, theirs = (a[key].astype(np.float64) for a in (made, shipped))
        assert np.abs(ours - theirs).max() < 2e-3 * np.abs(theirs).max()


def test_a_model_is_recentered_once(shipped):
    with pytest.raises(InputError, match="not re-centered yet"):
        recenter.recentered(shipped, population.load())


def test_population_is_kept_as_json(tmp_path, change):
    names = [f"e{i}" for i in range(10)]
    rounded = Population(change.center.round(4), change.scale.round(4), 7, 3)
    population.save(tmp_path / "people.json", rounded, names)
    read = population.load(tmp_path / "people.json")
    np.testing.assert_array_equal(read.center, rounded.center)
    np.testing.assert_array_equal(read.scale, rounded.scale)
    assert (read.faces, read.neutral) == (7, 3)


@pytest.mark.parametrize("text", ["", "{}", '{"center, scale": {"a": [1]}, "faces": 1}', "[1]"])
def test_malformed_populations_are_refused(tmp_path, text):
    (tmp_path / "people.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="expected center and scale"):
        population.load(tmp_path / "people.json")


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan])
def test_scales_must_be_positive(scale):
    with pytest.raises(InputError, match="population"):
        Population(np.zeros(3), np.array([1, scale, 1]))


def test_networks_say_the_same_of_every_face(project_root, before, shipped):
    """Old mean and deviation with the old model, new ones with the new: the same vertices."""
    change, _ = recenter.change_of(shipped, "")
    new = load_parameter_scale(project_root / "configs" / "param_mean_std_62d.npz")
    mean, std = new.mean.astype(np.float64), new.std.astype(np.float64)
    mean[12:] = mean[12:] * change.scale + change.center
    std[12:] *= change.scale
    old = replace(new, mean=mean.astype(np.float32), std=std.astype(np.float32))
    converted = recenter.convert_scale(old, change)
    np.testing.assert_allclose(converted.mean, new.mean, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(converted.std, new.std, rtol=1e-5)
    output = np.random.default_rng(2).normal(size=(4, 62)).astype(np.float32)
    for first, second in zip(old.denormalize(output), new.denormalize(output), strict=True):
        np.testing.assert_allclose(first[:12], second[:12])
        difference = vertices(before, first[12:]) - vertices(shipped, second[12:])
        assert np.abs(difference).max() < 0.03


@pytest.fixture
def old_weights(project_root, tmp_path, small_old_model):
    """A run's folder with weights for the small model."""
    from tddfa.backbones.mobilenet import MobileNet

    model, _ = small_old_model
    scale = load_parameter_scale(project_root / "configs" / "param_mean_std_62d.npz")
    run = tmp_path / "run"
    run.mkdir()
    np.savez(run / "param_mean_std.npz", mean=scale.mean, std=scale.std)
    labels = regressor_labels(load_face_model(model), scale, 0.25)
    save_checkpoint(run / "weights.pth", MobileNet(0.25).state_dict(), labels)
    return run / "weights.pth"


@pytest.fixture
def small_old_model(tmp_path, change):
    """Two files: a small model, and the same re-centered."""
    generator = np.random.default_rng(0)
    n = 80
    arrays = {
        "format_version": np.array(1),
        "u": generator.normal(size=3 * n).astype(np.float32) * 50,
        "w_shp": generator.normal(size=(3 * n, 40)).astype(np.float16),
        "w_exp": generator.normal(size=(3 * n, 10)).astype(np.float16),
        "tri": generator.integers(0, n, (150, 3)).astype(np.int32),
        "keypoints": np.arange(68, dtype=np.int32),
        "mirror": np.arange(n, dtype=np.int32),
        "exp_range": np.tile(np.float32([-1, 1]), (10, 1)),
    }
    np.savez(tmp_path / "old.npz", **arrays)
    np.savez(tmp_path / "new.npz", **recenter.recentered(arrays, change))
    return tmp_path / "old.npz", tmp_path / "new.npz"


def test_weights_are_converted_with_labels_and_scale(old_weights, small_old_model, tmp_path):
    _, new = small_old_model
    out = tmp_path / "out"
    written = recenter.convert_weights(old_weights, out, new)
    assert sorted(path.name for path in written) == ["param_mean_std.npz", "weights.pth"]
    scale = load_parameter_scale(out / "param_mean_std.npz")
    labels = load_labels(out / "weights.pth")
    assert labels == regressor_labels(load_face_model(new), scale, 0.25)
    first, second = (load_tensors(path) for path in (old_weights, out / "weights.pth"))
    assert first.keys() == second.keys()
    assert all((first[key] == second[key]).all() for key in first)


def test_converted_weights_are_not_converted_again(old_weights, small_old_model, tmp_path):
    _, new = small_old_model
    recenter.convert_weights(old_weights, tmp_path / "out", new)
    with pytest.raises(InputError, match="was not trained for the model"):
        recenter.convert_weights(tmp_path / "out" / "weights.pth", tmp_path / "twice", new)
    assert not (tmp_path / "twice").exists()
    with pytest.raises(InputError, match="re-centered"):
        recenter.convert_weights(old_weights, tmp_path / "other", small_old_model[0])


def test_packed_labels_are_converted_once(packed_folder, model, tmp_path, project_root, change):
    """Through the training tests' small model: the landmarks stay where they are."""
    n_shape, n_exp = model.w_shp.shape[1], model.w_exp.shape[1]
    count = n_shape + n_exp
    change = Population(change.center[:count], change.scale[:count])
    arrays = {
        "u": model.u.ravel(),
        "w_shp": model.w_shp.astype(np.float32),
        "w_exp": model.w_exp.astype(np.float32),
        "exp_range": np.tile(np.float32([-1, 1]), (n_exp, 1)),
        "mirror": np.arange(model.n_vertices),
        "format_version": np.array(1),
        "tri": np.asarray(model.tri)[:, ::-1],
        "keypoints": model.landmark_vertices,
    }
    new = recenter.recentered(arrays, change)
    np.savez(tmp_path / "new.npz", **new)
    target = tmp_path / "converted"
    assert recenter.convert_labels(packed_folder, target, tmp_path / "new.npz") > 0
    old, converted = open_packed(packed_folder), open_packed(target)
    np.testing.assert_array_equal(old.images, converted.images)
    np.testing.assert_allclose(
        landmarks(converted.labels, load_face_model(tmp_path / "new.npz")),
        landmarks(old.labels, model),
        atol=1e-2,
    )
    assert "face_model" in json.loads((target / "meta.json").read_text(encoding="utf-8"))
    with pytest.raises(InputError, match="already"):
        recenter.convert_labels(target, tmp_path / "twice", tmp_path / "new.npz")
    with pytest.raises(InputError, match="new folder"):
        recenter.convert_labels(packed_folder, target, tmp_path / "new.npz")
