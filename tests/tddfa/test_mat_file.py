import struct
from itertools import product

import numpy as np
import pytest
import scipy.io

from tddfa.errors import InputError
from tddfa.mat_file import load_matrix


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "matrix",
    [
        np.random.default_rng(0).uniform(size=(90, 2)).astype(np.float32),
        np.random.default_rng(0).normal(size=(7, 3)),
        np.arange(12, dtype=np.int16).reshape(3, 4),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.array([[1.0, 2.0]]),
        np.array([[3]], np.int8),
        np.zeros((0, 2)),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_agrees_with_scipy(tmp_path, matrix, packed):
    path = tmp_path / "x.mat"
    others = {"a": np.ones((3, 3)), "text": "text", "long_name_of_one": matrix * 0}
    scipy.io.savemat(path, {**others, "UV": matrix, "z": 1.5}, do_compression=packed)
    loaded = load_matrix(path, "UV")
    np.testing.assert_array_equal(loaded, scipy.io.loadmat(path)["UV"])
    np.testing.assert_array_equal(loaded, matrix)
    assert loaded.dtype == matrix.dtype
    assert load_matrix(path, "z").tolist() == [[1.5]]


def test_the_references_own(upstream):
    path = upstream / "configs" / "BFM_UV.mat"
    np.testing.assert_array_equal(load_matrix(path, "UV"), scipy.io.loadmat(path)["UV"])


def test_big_endian(tmp_path):
    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    flags = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 2, 2))
    short_name = struct.pack(">HH", 2, 1) + b"UV\0\0"
    numbers = element(9, np.array([1, 2, 3, 4], ">f8").tobytes())
    head = b"MATLAB 5.0".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    (tmp_path / "x.mat").write_bytes(head + element(14, flags + short_name + numbers))
    np.testing.assert_array_equal(load_matrix(tmp_path / "x.mat", "UV"), [[1, 3], [2, 4]])


@pytest.mark.parametrize("value", ["text", {"a": 1.0}, np.ones((2, 2)) * 1j])
def test_what_is_no_matrix_of_numbers(tmp_path, value):
    scipy.io.savemat(tmp_path / "x.mat", {"UV": value})
    with pytest.raises(InputError, match=r"x\.mat': expected a \.mat file"):
        load_matrix(tmp_path / "x.mat", "UV")


@pytest.mark.parametrize("content", [b"", b"text", b"\x89HDF" + bytes(600), bytes(128)])
def test_other_files(tmp_path, content):
    (tmp_path / "x.mat").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.mat"):
        load_matrix(tmp_path / "x.mat", "UV")
    with pytest.raises(InputError, match=r"none\.mat': cannot be read"):
        load_matrix(tmp_path / "none.mat", "UV")


@pytest.mark.parametrize("packed", [False, True])
def test_any_byte_may_be_wrong(tmp_path, packed):
    """SciPy's reader ends the process for some of these."""
    path, uv = tmp_path / "x.mat", np.random.default_rng(0).uniform(size=(9, 2))
    scipy.io.savemat(path, {"UV": uv}, do_compression=packed)
    sound, refused = path.read_bytes(), 0
    for place, value in product(range(124, len(sound)), (0, 0x10, 0x7F, 0x80, 0xFF)):
        path.write_bytes(sound[:place] + bytes([value]) + sound[place + 1 :])
        try:
            assert load_matrix(path, "UV").nbytes <= uv.nbytes
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 100
