import zipfile

import numpy as np
import pytest

from tddfa.io.mapped_arrays import is_mapped_whole, read_npz, read_pieces, take_rows
from tddfa.weight_labels import array_id

ARRAYS = {
    "half": np.random.default_rng(0).random((300, 7)).astype(np.float16),
    "big_endian": np.arange(40, dtype=">i4").reshape(8, 5),
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "empty": np.zeros((0, 3), np.float32),
    "scalar": np.array(3),
    "text": np.array(["a", "bc"]),
}


@pytest.fixture(params=[np.savez, np.savez_compressed], ids=["stored", "compressed"])
def archive(request, tmp_path):
    request.param(tmp_path / "x.npz", **ARRAYS)
    return tmp_path / "x.npz"


@pytest.mark.parametrize("mapped", [(), tuple(ARRAYS), ("half", "unknown")])
def test_the_same_arrays(archive, mapped):
    found = read_npz(archive, mapped)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("name", ["half", "big_endian", "fortran"])
def test_ids_do_not_depend_on_how_an_array_was_read(archive, name):
    assert array_id(x=read_npz(archive, ARRAYS)[name]) == array_id(x=ARRAYS[name])


def test_pieces_are_the_bytes(tmp_path):
    np.savez(tmp_path / "x.npz", **ARRAYS)
    mapped = read_npz(tmp_path / "x.npz", ["half"])["half"]
    if not is_mapped_whole(mapped):
        pytest.skip("this system does not map")
    assert b"".join(read_pieces(mapped, 100)) == ARRAYS["half"].tobytes()


@pytest.mark.parametrize("rows", [[], [0], [299, 3, 3, -1]])
@pytest.mark.parametrize("part", [slice(None), slice(100, None), slice(None, None, -1)])
def test_rows(archive, rows, part):
    """Of the whole array they are read, of a part of it taken."""
    mapped, rows = read_npz(archive, ["half"])["half"][part], np.array(rows, int) % 200
    np.testing.assert_array_equal(take_rows(mapped, rows), ARRAYS["half"][part][rows])


def test_a_mapped_array_cannot_be_changed(tmp_path):
    np.savez(tmp_path / "x.npz", **ARRAYS)
    mapped = read_npz(tmp_path / "x.npz", ["half"])["half"]
    if is_mapped_whole(mapped):
        with pytest.raises(ValueError, match="read-only"):
            mapped[0] = 1


def test_pickles_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_npz(tmp_path / "x.npz", ["x"])


def test_an_array_that_is_cut_short_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        np.save(tmp_path / "x.npy", ARRAYS["half"])
        file.writestr("x.npy", (tmp_path / "x.npy").read_bytes()[:-2])
    with pytest.raises(ValueError):
        read_npz(tmp_path / "x.npz", ["x"])
