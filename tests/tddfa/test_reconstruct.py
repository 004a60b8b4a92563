import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.morphable_model import Basis
from tddfa.params import split_params
from tddfa.reconstruct import image_cameras, reconstruct_vertices


def slow_vertices(model, param, roi, size=120):
    """The contract's formulas, one after the other, in double precision."""
    parts = split_params(param)
    shape = (
        model.u.astype(float)
        + model.w_shp.astype(float) @ parts.shape
        + model.w_exp.astype(float) @ parts.expression
    )
    points = parts.linear.astype(float) @ shape.reshape(-1, 3).T + parts.offset
    points[0] -= 1
    points[2] -= 1
    points[1] = size - points[1]
    left, top, right, bottom = roi
    scale_x, scale_y = (right - left) / size, (bottom - top) / size
    points[0] = points[0] * scale_x + left
    points[1] = points[1] * scale_y + top
    points[2] *= (scale_x + scale_y) / 2
    points[2] -= points[2].min()
    return points


def random_params(n, seed=0):
    generator = np.random.default_rng(seed)
    params = generator.normal(size=(n, 62)).astype(np.float32)
    params[:, [3, 7, 11]] += 60
    return params


ROIS = np.float32([[10, 20, 200, 230], [-50.5, 3, 40, 80], [0, 0, 1, 1000]])


@pytest.mark.parametrize("n", [0, 1, 3])
def test_equals_the_formulas(small_model_file, n):
    model = load_face_model(small_model_file)
    params, rois = random_params(n), ROIS[:n]
    parts = split_params(params)
    actual = reconstruct_vertices(model.dense, parts, image_cameras(parts, rois, 120))
    assert actual.shape == (n, 3, 90)
    assert actual.dtype == np.float32
    for vertices, param, roi in zip(actual, params, rois, strict=True):
        expected = slow_vertices(model, param, roi)
        np.testing.assert_allclose(vertices, expected, rtol=1e-5, atol=2e-3)


def test_batch_equals_single_faces(small_model_file):
    model = load_face_model(small_model_file)
    parts = split_params(random_params(3))
    together = reconstruct_vertices(model.dense, parts, image_cameras(parts, ROIS, 120))
    for i in range(3):
        one = split_params(random_params(3)[i : i + 1])
        alone = reconstruct_vertices(model.dense, one, image_cameras(one, ROIS[i : i + 1], 120))
        np.testing.assert_array_equal(together[i], alone[0])


@pytest.mark.parametrize("n_vertices", [1, 4095, 8193, 20011])
@pytest.mark.parametrize("n_components", [(0, 0), (1, 0), (5, 2), (40, 10)])
def test_threads_and_odd_sizes(n_vertices, n_components):
    generator = np.random.default_rng(1)
    n_shape, n_exp = n_components
    basis = Basis(
        generator.normal(size=(3, n_vertices)).astype(np.float32),
        generator.normal(size=(n_shape + n_exp, 3, n_vertices)).astype(np.float32),
        n_shape,
    )
    parts = split_params(random_params(2))
    short = type(parts)(
        parts.linear, parts.offset, parts.shape[:, :n_shape], parts.expression[:, :n_exp]
    )
    cameras = image_cameras(short, ROIS[:2], 120)
    results = [reconstruct_vertices(basis, short, cameras, n_threads=t) for t in (1, 2, 7)]
    alpha = np.concatenate([short.shape, short.expression], axis=1)[..., 0].astype(float)
    shape = basis.mean + np.einsum("fk,kan->fan", alpha, basis.components.astype(float))
    expected = cameras[:, :, :3].astype(float) @ shape + cameras[:, :, 3:]
    expected[:, 2] -= expected[:, 2].min(axis=1, keepdims=True)
    np.testing.assert_allclose(results[0], expected, rtol=1e-4, atol=5e-2)
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_fewer_coefficients_than_components(small_model_file):
    model = load_face_model(small_model_file)
    parts = split_params(random_params(1))
    short = type(parts)(parts.linear, parts.offset, parts.shape[:, :7], parts.expression[:, :2])
    padded = random_params(1)
    padded[:, 12 + 7 : 52] = padded[:, 52 + 2 :] = 0
    whole = split_params(padded)
    cameras = image_cameras(parts, ROIS[:1], 120)
    np.testing.assert_array_equal(
        reconstruct_vertices(model.dense, short, cameras),
        reconstruct_vertices(model.dense, whole, cameras),
    )


def test_more_coefficients_than_components(small_model_file):
    model = load_face_model(small_model_file)
    parts = split_params(np.zeros((1, 141)))
    with pytest.raises(InputError, match="100 shape and 29 expression"):
        reconstruct_vertices(model.dense, parts, image_cameras(parts, ROIS[:1], 120))


def test_wrong_number_of_cameras(small_model_file):
    model = load_face_model(small_model_file)
    parts = split_params(np.zeros((1, 62)))
    with pytest.raises(InputError, match="cameras"):
        reconstruct_vertices(model.dense, parts, np.zeros((2, 3, 4)))
