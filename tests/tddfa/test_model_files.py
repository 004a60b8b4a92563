import pickle

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.model_files import ModelTables, load_face_model, normalized_coordinate_code


def test_own_format(small_arrays, small_model_file):
    model = load_face_model(small_model_file)
    assert model.n_vertices == 90
    np.testing.assert_array_equal(model.u[:, 0], small_arrays["u"])
    np.testing.assert_array_equal(model.tri, small_arrays["tri"][:, ::-1])
    np.testing.assert_array_equal(model.tri.uv, small_arrays["uv"])
    rows = model.keypoints.reshape(68, 3)
    np.testing.assert_array_equal(rows[:, 0], small_arrays["keypoints"] * 3)
    np.testing.assert_array_equal(rows[:, 2] - rows[:, 0], 2)
    assert model.exp_names[1] == "e1"
    assert sorted(model.regions) == ["ears", "lips", "nose"]
    assert sum(map(len, model.regions.values())) == 90


def test_bases_are_planar_and_agree(small_arrays, small_model_file):
    model = load_face_model(small_model_file)
    assert model.dense.components.shape == (50, 3, 90)
    assert model.dense.mean.dtype == model.dense.components.dtype == np.float32
    np.testing.assert_array_equal(
        model.dense.components[41], small_arrays["w_exp"][:, 1].reshape(90, 3).T
    )
    landmarks = small_arrays["keypoints"]
    np.testing.assert_array_equal(model.sparse.components, model.dense.components[:, :, landmarks])
    np.testing.assert_array_equal(model.sparse.mean, model.dense.mean[:, landmarks])


def test_triangles_carry_the_codes_through_views(small_model_file):
    tri = load_face_model(small_model_file).tri
    assert isinstance(tri, np.ndarray)
    assert tri[::2].ncc_code is tri.ncc_code
    assert np.ascontiguousarray(tri).dtype == np.int32


def test_coordinate_code_spans_the_unit_cube():
    code = normalized_coordinate_code([0, 0, 5, 2, 1, 5, 1, -1, 5])
    np.testing.assert_array_equal(code, [[0, 1, 0.5], [0.5, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("u", np.zeros(89), "u of shape"),
        ("u", np.zeros(0), "u of shape"),
        ("w_shp", np.zeros((30, 40)), "w_shp"),
        ("w_exp", np.zeros(270), "w_exp"),
        ("tri", np.full((4, 3), 90), "tri in 0..89"),
        ("tri", np.full((4, 3), -1), "tri in 0..89"),
        ("tri", np.zeros((4, 4)), "tri of shape"),
        ("keypoints", np.zeros(5), "keypoints"),
        ("keypoints", np.full(68, 90), "keypoints in"),
        ("uv", np.zeros((3, 2)), "uv"),
        ("ncc_code", np.zeros((3, 8)), "ncc_code"),
        ("mirror", np.zeros(3), "mirror"),
        ("format_version", 99, "format_version 1, got 99"),
    ],
)
def test_wrong_sizes(small_arrays, tmp_path, key, value, reason):
    np.savez(tmp_path / "m.npz", **(small_arrays | {key: value}))
    with pytest.raises(InputError, match=reason) as info:
        load_face_model(tmp_path / "m.npz")
    assert "m.npz" in str(info.value)


@pytest.mark.parametrize("key", ["u", "w_shp", "w_exp", "tri", "keypoints"])
@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
def test_missing_array(small_arrays, tmp_path, key, suffix):
    arrays = {k: v for k, v in small_arrays.items() if k != key}
    path = tmp_path / f"m{suffix}"
    if suffix == ".npz":
        np.savez(path, **arrays)
    else:
        path.write_bytes(pickle.dumps(arrays))
    with pytest.raises(InputError, match=key):
        load_face_model(path)


@pytest.mark.parametrize("name", ["m.npz", "m.pkl"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"text"])
def test_damaged_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        load_face_model(tmp_path / name)


def test_npz_with_objects_is_refused(small_arrays, tmp_path):
    np.savez(tmp_path / "m.npz", **(small_arrays | {"u": np.array([{}], dtype=object)}))
    with pytest.raises(InputError):
        load_face_model(tmp_path / "m.npz")


def test_reference_format(upstream):
    configs = upstream / "configs"
    tables = ModelTables(
        tri=configs / "tri.pkl",
        uv=configs / "BFM_UV.mat",
        uv_indices=configs / "indices.npy",
        ncc=configs / "ncc_code.npy",
    )
    model = load_face_model(configs / "bfm_interpolated_from_sparse.pkl", tables)
    assert model.n_vertices == 38365
    assert model.tri.shape == (76073, 3)
    assert model.tri.uv.shape == (38365, 2)
    assert 0 <= model.tri.uv.min() < model.tri.uv.max() <= 1
    # The code is said to be the mean shape scaled to [0, 1]: so must ours be that we compute.
    np.testing.assert_allclose(model.tri.ncc_code, normalized_coordinate_code(model.u), atol=1e-5)


def test_uv_indices_out_of_range(small_model_file, tmp_path):
    np.save(tmp_path / "uv.npy", np.zeros((5, 2)))
    np.save(tmp_path / "i.npy", np.full(90, 5))
    tables = ModelTables(uv=tmp_path / "uv.npy", uv_indices=tmp_path / "i.npy")
    with pytest.raises(InputError, match=r"i\.npy"):
        _ = load_face_model(small_model_file, tables).tri.uv


def face_normals_z(model):
    """Depth component of each triangle's normal in the picture's frame, where y is down."""
    points = model.u.reshape(-1, 3) * [1, -1, 1]
    a, b, c = (points[np.asarray(model.tri)[:, k]] for k in range(3))
    return np.cross(b - a, c - a)[:, 2]


def test_triangles_face_the_viewer(project_root, upstream):
    """Ours and the reference's alike, although the files differ."""
    configs = upstream / "configs"
    reference = configs / "bfm_interpolated_from_sparse.pkl"
    for model in (
        load_face_model(project_root / "configs" / "face_model.npz"),
        load_face_model(reference, ModelTables(tri=configs / "tri.pkl")),
    ):
        assert (face_normals_z(model) > 0).mean() > 0.8


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such face model"):
        load_face_model(tmp_path / "none.npz")
