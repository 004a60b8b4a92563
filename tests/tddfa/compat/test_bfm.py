import numpy as np
import pytest

from tddfa import InputError, load_face_model
from tddfa.compat.bfm import BFMModel, BFMSession


@pytest.fixture(scope="module")
def bfm(small_model_file):
    return BFMModel(small_model_file)


def test_everything_is_float32(bfm, small_arrays):
    n = small_arrays["u"].size
    for name, shape in (("u", (n, 1)), ("w_shp", (n, 40)), ("w_exp", (n, 10)), ("w", (n, 50))):
        array = getattr(bfm, name)
        assert array.dtype == np.float32 and array.shape == shape and array.flags.c_contiguous
        base = getattr(bfm, f"{name}_base")
        assert base.dtype == np.float32
        np.testing.assert_array_equal(base, array[bfm.keypoints])
    np.testing.assert_allclose(bfm.w_norm, np.linalg.norm(bfm.w, axis=0), rtol=1e-6)
    assert bfm.tri.dtype == np.int32 and bfm.keypoints.shape == (204,)


def test_nothing_is_widened_before_it_is_asked_for(small_model_file):
    bfm = BFMModel(small_model_file)
    assert not {"u", "w_shp", "w_exp", "w"} & set(vars(bfm))


def test_dimensions(small_model_file):
    bfm = BFMModel(small_model_file, shape_dim=7, exp_dim=3)
    assert (bfm.w_shp.shape[1], bfm.w_exp.shape[1], bfm.w_base.shape[1]) == (7, 3, 10)
    assert BFMModel(small_model_file, shape_dim=999).w_shp.shape[1] == 40
    for wrong in (0, -1, 2.5, "all"):
        with pytest.raises(InputError, match="shape_dim: expected"):
            BFMModel(small_model_file, shape_dim=wrong)


def test_factor(small_model_file):
    model = load_face_model(small_model_file)
    bfm = BFMModel.of(model, factor=1000)
    np.testing.assert_allclose(bfm.u, model.u * 1000, rtol=1e-6)
    np.testing.assert_allclose(bfm.w_exp, model.w_exp.astype(np.float32) * 1000, rtol=1e-6)
    assert bfm.dense is model.dense


def test_writing_into_it_changes_nothing(small_model_file):
    model = load_face_model(small_model_file)
    bfm = BFMModel.of(model)
    bfm.u[:] = 0
    assert model.u.any()
    with pytest.raises(AttributeError):
        bfm.u = 0


def test_session(bfm):
    rng = np.random.default_rng(0)
    feeds = {
        "R": rng.normal(size=(3, 3)).astype(np.float32),
        "offset": rng.normal(size=(3, 1)).astype(np.float32),
        "alpha_shp": rng.normal(size=(40, 1)).astype(np.float32),
        "alpha_exp": rng.normal(size=(10, 1)).astype(np.float32),
    }
    session = BFMSession(bfm)
    assert [node.name for node in session.get_inputs()] == list(feeds)
    (vertices,) = session.run(None, feeds)
    face = bfm.u + bfm.w_shp @ feeds["alpha_shp"] + bfm.w_exp @ feeds["alpha_exp"]
    expected = feeds["R"] @ face.reshape(3, -1, order="F") + feeds["offset"]
    np.testing.assert_allclose(vertices, expected, rtol=1e-4, atol=1e-3)
    with pytest.raises(InputError, match="alpha_exp"):
        session.run(None, {key: feeds[key] for key in ("R", "offset", "alpha_shp")})
    with pytest.raises(InputError, match="coefficients"):
        session.run(None, feeds | {"alpha_shp": np.zeros((3, 1))})


def test_tables_beside_the_references_pickle(upstream):
    bfm = BFMModel(upstream / "configs" / "bfm_interpolated_from_sparse.pkl")
    assert bfm.tri.shape == (76073, 3) and bfm.tri.uv.shape == (38365, 2)
    assert bfm.u.dtype == bfm.w_shp.dtype == bfm.w_exp.dtype == np.float32
