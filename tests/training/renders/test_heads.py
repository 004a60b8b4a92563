"""Heads out of a seed, their truth and their pictures."""

import importlib.util

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tddfa import load_face_model
from tddfa.errors import InputError
from training.dataset.packed import open_packed
from training.evaluation.rendered import load_rendered
from training.face_model.expression import load_units
from training.renders.heads import PoseRange, draw_pose
from training.renders.truth import Fitter


@pytest.fixture(scope="module")
def fitter(project_root):
    path = project_root / "configs" / "face_model.npz"
    with np.load(path, allow_pickle=False) as archive:
        return Fitter(load_face_model(path), {key: archive[key] for key in archive.files})


def test_the_fit_is_exact_on_the_models_own_faces(fitter):
    generator = np.random.default_rng(0)
    alpha = generator.normal(0, 1, 50)
    rotation = Rotation.from_euler("ZYX", [160, -70, 25], degrees=True).as_matrix()
    surface = fitter.mean + fitter.basis @ alpha
    target = 0.53 * surface @ rotation.T + [84, 70, 3]
    camera, found, turned = fitter.fit(target)
    fitted = (fitter.mean + fitter.basis @ found) @ camera[:, :3].T + camera[:, 3]
    assert np.abs(fitted - target).max() < 0.05  # of a head of 130 pixels
    assert np.degrees(Rotation.from_matrix(turned @ rotation.T).magnitude()) < 0.3
    assert np.abs(found - alpha).max() < 0.6


def test_poses_fill_their_ranges():
    generator = np.random.default_rng(0)
    poses = np.array([draw_pose(generator, PoseRange()) for _ in range(2000)])
    assert (np.abs(poses) <= [95, 45, 180]).all()
    assert (np.abs(poses).max(axis=0) > [90, 40, 170]).all()
    assert 0.5 < (np.abs(poses[:, 2]) < 45).mean() < 0.8


@pytest.mark.parametrize("roll", [0, 45])
def test_heads_roll_no_further_than_asked(roll):
    generator = np.random.default_rng(0)
    rolls = [abs(draw_pose(generator, PoseRange(roll=roll))[2]) for _ in range(500)]
    assert 0.9 * roll <= max(rolls) <= roll


@pytest.mark.parametrize("roll", [-1, 181, float("nan")])
def test_a_roll_that_cannot_be_is_refused_by_its_name(roll):
    with pytest.raises(InputError, match="--roll"):
        PoseRange(roll=roll)


needs_assets = pytest.mark.skipif(
    importlib.util.find_spec("anny") is None or importlib.util.find_spec("OpenEXR") is None,
    reason="package anny or OpenEXR is absent",
)


@needs_assets
@pytest.mark.slow
def test_the_same_seed_gives_the_same_heads(shared, tmp_path, monkeypatch):
    from training.face_model.makehuman import data_folder
    from training.render_heads import RenderSettings, render

    assert load_units(data_folder())
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        assert render(RenderSettings(shared / "free", folder, count=4, seed=7, test=True)) == 4
    first, second = (open_packed(folder) for folder in folders)
    np.testing.assert_array_equal(first.images, second.images)
    assert first.held_out.all() and not first.detected
    heads = load_rendered(folders[0])
    # Parameters and points say the same, up to what the model cannot say.
    assert np.median(first.labels.residual) < 1.5
    assert (heads.points[:, :2].min(axis=(1, 2)) > -20).all()
    assert first.images.std(axis=(1, 2, 3)).min() > 10
