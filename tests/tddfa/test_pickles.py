import os
import pickle

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.pickles import load_arrays


class Attack:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_round_trip(tmp_path, protocol, dtype):
    data = {"a": np.arange(6, dtype=dtype).reshape(2, 3), "b": [1, "x", None, np.float32(2)]}
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(data, protocol=protocol))
    loaded = load_arrays(path)
    np.testing.assert_array_equal(loaded["a"], data["a"])
    assert loaded["a"].dtype == dtype
    assert loaded["b"] == data["b"]


@pytest.mark.parametrize("function", [os.system, eval, exec])
def test_malicious_pickle_is_not_executed(tmp_path, function):
    canary = tmp_path / "canary"
    code = f"touch {canary}" if function is os.system else f"open({str(canary)!r}, 'w')"
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(Attack(function, code)))
    with pytest.raises(InputError, match=r"x\.pkl.*asks for"):
        load_arrays(path)
    assert not canary.exists()


def test_object_array_with_a_payload_is_not_executed(tmp_path):
    canary = tmp_path / "canary"
    array = np.array([Attack(os.system, f"touch {canary}")], dtype=object)
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(array))
    with pytest.raises(InputError):
        load_arrays(path)
    assert not canary.exists()


@pytest.mark.parametrize("content", [b"", b"text", b"\x80\x04", pickle.dumps([1])[:-2]])
def test_no_pickle(tmp_path, content):
    path = tmp_path / "x.pkl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.pkl") as info:
        load_arrays(path)
    assert "\n" not in str(info.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        load_arrays(tmp_path / "none.pkl")


def test_reference_files(upstream):
    model = load_arrays(upstream / "configs" / "bfm_interpolated_from_sparse.pkl")
    assert model["u"].shape == (115095, 1)
    assert load_arrays(upstream / "configs" / "tri.pkl").shape == (3, 76073)
