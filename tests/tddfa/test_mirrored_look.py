"""The look in a mirror: parameters convert exactly, and where they cannot nothing is changed."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tddfa import load_config
from tddfa.ibug68 import MIRROR
from tddfa.mirrored_look import mirrored_crops, parameter_mirror
from tddfa.model_files import load_face_model
from tddfa.params import N_CAMERA
from tddfa.reconstruct import Reconstructor

SIZE = 120
WHOLE = [0.0, 0.0, SIZE, SIZE]


@pytest.fixture(scope="module")
def model():
    return load_face_model(load_config("default").find("bfm_fp"))


@pytest.fixture(scope="module")
def params():
    """Turned, shifted faces with pronounced shapes and lopsided expressions."""
    generator = np.random.default_rng(5)
    found = np.zeros((6, 62), np.float32)
    for row in found:
        turn, _ = np.linalg.qr(generator.normal(size=(3, 3)))
        row[:N_CAMERA] = np.c_[0.4 * turn, generator.uniform(30, 90, 3)].ravel()
        row[N_CAMERA:] = generator.normal(size=50)
    return found


@pytest.fixture(scope="module")
def portrait(project_root):
    return cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))


@pytest.mark.parametrize("dense", [False, True])
def test_the_mirrored_face_is_the_faces_mirror_image(model, params, dense):
    mirror = parameter_mirror(model, SIZE)
    make = Reconstructor(model, SIZE)
    straight = make(list(params), [WHOLE] * len(params), dense=dense)
    mirrored = make(list(mirror(params)), [WHOLE] * len(params), dense=dense)
    partner = model.mirror if dense else MIRROR
    for one, other in zip(straight, mirrored, strict=True):
        # `Reconstructor` maps pixel centers on the ROI's corners: its middle lies at 59.5.
        np.testing.assert_allclose(2 * 59.5 - other[0, partner], one[0], atol=0.05)
        np.testing.assert_allclose(other[1:, partner], one[1:], atol=0.05)


def test_twice_mirrored_is_as_before(model, params):
    mirror = parameter_mirror(model, SIZE)
    np.testing.assert_allclose(mirror(mirror(params)), params, atol=1e-4)
    assert mirror(params[:0]).shape == (0, 62)


def test_crops_are_turned_around():
    crops = np.arange(2 * 3 * 4 * 4, dtype=np.float32).reshape(2, 3, 4, 4)
    np.testing.assert_array_equal(mirrored_crops(crops), crops[..., ::-1])
    assert mirrored_crops(crops).flags.c_contiguous
    assert mirrored_crops(crops[:0]).shape == (0, 3, 4, 4)


def lopsided(model):
    """A component that moves a corner of the mouth alone, and no other as its mirror image."""
    basis = np.array(model.w_exp, np.float32)
    basis[model.keypoints.reshape(68, 3)[48], 0] += basis.std() * 100
    return replace(model, w_exp=basis)


def lopsided_mean(model):
    """A mean shape that is not symmetric: one corner of the mouth lies lower."""
    mean = np.array(model.u, np.float32)
    mean[model.keypoints.reshape(68, 3)[48, 1]] -= 0.2 * np.ptp(mean)
    return replace(model, u=mean)


def off_center(model):
    """A mean shape that is symmetric about another plane."""
    mean = np.array(model.u, np.float32)
    mean[::3] += 0.1 * np.ptp(mean)
    return replace(model, u=mean)


def lopsided_between(model):
    """A component that moves one half of the mesh, but for its landmarks."""
    basis = np.array(model.w_shp, np.float32)
    rest = np.setdiff1d(np.flatnonzero(model.u[::3, 0] > 0), model.landmark_vertices)
    basis[3 * rest, 0] += basis.std() * 10
    return replace(model, w_shp=basis)


def damaged(model):
    """A number of the basis that is none."""
    basis = np.array(model.w_exp, np.float32)
    basis[model.keypoints[10], 3] = np.nan
    return replace(model, w_exp=basis)


def swapped(model):
    """Partners that are others than the landmarks': those of two vertices exchanged."""
    mirror = model.mirror.copy()
    pair = model.landmark_vertices[[36, 39]]
    mirror[pair] = mirror[pair[::-1]]
    return replace(model, mirror=mirror)


def shortened(model):
    """Fewer components than the parameters have coefficients."""
    return replace(model, w_exp=model.w_exp[:, :6])


@pytest.mark.parametrize(
    "change",
    [
        lopsided,
        lopsided_mean,
        off_center,
        lopsided_between,
        damaged,
        swapped,
        shortened,
        lambda model: replace(model, mirror=None),
    ],
)
def test_a_model_that_is_not_symmetric_has_no_mirror(model, change):
    assert parameter_mirror(model, SIZE) is not None
    assert parameter_mirror(change(model), SIZE) is None


def test_components_beyond_the_parameters_count_for_nothing(model, params):
    """A model may have more of both kinds; parameters name the first of each."""
    generator = np.random.default_rng(8)
    more = [
        np.hstack([part, generator.normal(size=(len(part), 3))]).astype(np.float32)
        for part in (model.w_shp, model.w_exp)
    ]
    longer = replace(model, w_shp=more[0], w_exp=more[1])
    expected = parameter_mirror(model, SIZE)(params)
    np.testing.assert_allclose(parameter_mirror(longer, SIZE)(params), expected, atol=1e-4)


@pytest.mark.parametrize("mapped", [False, True])
def test_a_part_is_in_the_order_asked_for_even_if_it_is_all(mapped):
    model = load_face_model(load_config("default").find("bfm_fp"), mapped=mapped)
    for vertices in (model.mirror, model.mirror[:70], np.arange(model.n_vertices)):
        part = model.part(vertices)
        np.testing.assert_array_equal(part.components, model.dense.components[:, :, vertices])
        np.testing.assert_array_equal(part.mean, model.dense.mean[:, vertices])
