import numpy as np
import pytest

from tddfa.errors import InputError
from training.dataset import shards
from training.dataset.shards import Shards, in_order, parse_part


def test_what_is_there_is_not_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD", 2)
    store = Shards(tmp_path, "points")
    names = list("abcde")
    assert store.missing(names) == [["a", "b"], ["c", "d"], ["e"]]
    store.write(0, names=np.array(["b", "e"]), value=np.array([2, 5]))
    store.write(0, names=np.array(["a"]), value=np.array([1]))
    Shards(tmp_path, "other").write(0, names=np.array(["c"]))
    assert store.missing(names) == [["c", "d"]]
    assert store.read("value").tolist() == [2, 5, 1]


def test_shares_stay_the_same_while_others_write(tmp_path):
    store = Shards(tmp_path, "points")
    names = list("abcdef")
    first = store.missing(names, 0, 2)
    store.write(1, names=np.array(["b"]))
    assert store.missing(names, 0, 2) == first == [["a", "c", "e"]]
    assert store.missing(names, 1, 2) == [["d", "f"]]


def test_nothing_is_no_name(tmp_path):
    assert Shards(tmp_path, "points").read("names").tolist() == []


def test_damaged_archive_is_named(tmp_path):
    (tmp_path / "points_00_0000.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="points_00_0000"):
        Shards(tmp_path, "points").read("names")


def test_order_is_the_lists_or_random(tmp_path):
    found = [f"{i}.png" for i in range(50)]
    assert sorted(in_order(found, None)) == sorted(found) != in_order(found, None)
    wanted = tmp_path / "list.txt"
    wanted.write_text("7.png\n3.png\n\n7.png\n", encoding="utf-8")
    assert in_order(found, wanted) == ["7.png", "3.png"]
    wanted.write_text("70.png\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"'70\.png' is not there"):
        in_order(found, wanted)
    with pytest.raises(InputError, match="expected a list"):
        in_order(found, tmp_path / "none.txt")


@pytest.mark.parametrize("text", ["2/2", "x", "1", "-1/2", "1/2/3", ""])
def test_wrong_part_is_named(text):
    with pytest.raises(InputError, match="--part"):
        parse_part(text)
