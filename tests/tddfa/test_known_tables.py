"""Tables of a face model found by its triangles: what `np.array` and `np.load` cut off."""

import pickle

import numpy as np
import pytest

from tddfa import load_face_model
from tddfa.drawing.pncc import pncc
from tddfa.drawing.uv import uv_tex
from tddfa.errors import InputError
from tddfa.known_tables import known_table


@pytest.fixture(scope="module")
def shipped(project_root):
    return load_face_model(project_root / "configs" / "face_model.npz")


@pytest.fixture(scope="module")
def mean_face(shipped):
    return (shipped.u.reshape(-1, 3).T * [[0.3], [-0.3], [0.3]] + 50).astype(np.float32)


def plain(tri, how, folder):
    if how == "array":
        return np.array(tri)
    if how == "transposed":
        return np.array(tri).T
    if how == "long":
        return np.array(tri, np.int64)
    np.save(folder / "tri.npy", tri)
    return np.load(folder / "tri.npy")


@pytest.mark.parametrize("how", ["array", "transposed", "long", "load"])
def test_plain_triangles_draw_as_the_models_own(shipped, mean_face, tmp_path, how):
    picture = np.zeros((100, 100, 3), np.uint8)
    tri = plain(shipped.tri, how, tmp_path)
    expected = pncc(picture, [mean_face], shipped.tri)
    assert expected.any()
    np.testing.assert_array_equal(pncc(picture, [mean_face], tri), expected)
    noise = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    expected = uv_tex(noise, [mean_face], shipped.tri, uv_h=40, uv_w=40)
    assert expected.any()
    np.testing.assert_array_equal(uv_tex(noise, [mean_face], tri, uv_h=40, uv_w=40), expected)


def test_tables_of_the_reference_come_from_the_asset_folder(upstream, model, monkeypatch):
    monkeypatch.delenv("TDDFA_ASSETS", raising=False)
    assert known_table(model.tri, "uv") is None
    monkeypatch.setenv("TDDFA_ASSETS", str(upstream))
    np.testing.assert_array_equal(known_table(model.tri, "ncc_code"), model.ncc_code)
    np.testing.assert_array_equal(known_table(model.tri, "uv"), model.uv.astype(np.float32))


def test_other_triangles_have_no_tables(shipped):
    other = np.array(shipped.tri)
    other[0] = other[0, ::-1]
    assert known_table(other, "uv") is None
    assert known_table(np.zeros((0, 3), int), "ncc_code") is None
    with pytest.raises(InputError, match="pass ncc_code=…"):
        pncc(np.zeros((9, 9, 3), np.uint8), [np.zeros((3, shipped.n_vertices))], other)


def test_triangles_keep_their_tables_in_a_pickle(shipped):
    copy = pickle.loads(pickle.dumps(shipped.tri))
    np.testing.assert_array_equal(copy, shipped.tri)
    np.testing.assert_array_equal(copy.ncc_code, shipped.tri.ncc_code)
    np.testing.assert_array_equal(copy.uv, shipped.tri.uv)
