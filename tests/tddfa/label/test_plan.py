import json

import pytest

from tddfa.errors import InputError
from tddfa.label.places import Folder
from tddfa.label.plan import INPUTS, MANIFEST, make_shards, start_plan
from tddfa.label.sources import Source

PICTURES = [Source(f"{number}.png", "picture") for number in range(10)]
SETTINGS = {"config": "x.yml", "every": 1, "crops": None}


@pytest.mark.parametrize(
    ("kinds", "size", "counts"),
    [
        ("", 4, []),
        ("p", 4, [1]),
        ("pppp", 4, [4]),
        ("ppppp", 4, [4, 1]),
        ("v", 4, [1]),
        ("ppvpp", 4, [2, 1, 2]),
        ("vvaa", 4, [1, 1, 1, 1]),
        ("pppppv", 4, [4, 1, 1]),
        ("vp", 1, [1, 1]),
    ],
)
def test_shards_cover_everything_once(kinds, size, counts):
    names = {"p": "picture", "v": "video", "a": "archive"}
    sources = [Source(str(i), names[kind]) for i, kind in enumerate(kinds)]
    shards = list(make_shards(sources, size))
    assert [shard.count for shard in shards] == counts
    assert [shard.number for shard in shards] == list(range(len(counts)))
    covered = [i for shard in shards for i in range(shard.first, shard.first + shard.count)]
    assert covered == list(range(len(sources)))


def test_a_plan_is_taken_up_again(tmp_path):
    plan = start_plan(Folder(tmp_path), PICTURES, SETTINGS, 4)
    (tmp_path / plan.shards[1].name).write_bytes(b"")
    again = start_plan(Folder(tmp_path), PICTURES, SETTINGS, 99)
    assert again.shards == plan.shards and again.sources == plan.sources
    assert [shard.number for shard in again.open_shards()] == [0, 2]
    assert again.inputs(again.shards[2]) == tuple(PICTURES[8:])


@pytest.mark.parametrize(
    ("sources", "settings", "message"),
    [
        (PICTURES, SETTINGS | {"every": 2}, "was begun with every 1, not 2"),
        (PICTURES[1:], SETTINGS, r"other inputs \(10, now 9\)"),
    ],
)
def test_another_run_needs_another_folder(tmp_path, sources, settings, message):
    start_plan(Folder(tmp_path), PICTURES, SETTINGS, 4)
    with pytest.raises(InputError, match=message):
        start_plan(Folder(tmp_path), sources, settings, 4)


def test_parts_without_a_manifest(tmp_path):
    (tmp_path / "part-00000.parquet").write_bytes(b"")
    with pytest.raises(InputError, match="parts without a manifest"):
        start_plan(Folder(tmp_path), PICTURES, SETTINGS, 4)


@pytest.mark.parametrize("damage", ["{", "[]", '{"shards": []}', '{"shards": [1], "settings": {}}'])
def test_a_damaged_manifest(tmp_path, damage):
    start_plan(Folder(tmp_path), PICTURES, SETTINGS, 4)
    (tmp_path / MANIFEST).write_text(damage)
    with pytest.raises(InputError, match=r"manifest\.json and inputs\.jsonl of a run"):
        start_plan(Folder(tmp_path), PICTURES, SETTINGS, 4)


def test_names_that_are_hard_to_write_down(tmp_path):
    sources = [Source("a\nb.png", "picture"), Source("ü€\udcff.png", "picture")]
    start_plan(Folder(tmp_path), sources, SETTINGS, 4)
    assert len((tmp_path / INPUTS).read_bytes().splitlines()) == 2
    assert start_plan(Folder(tmp_path), sources, SETTINGS, 4).sources == tuple(sources)
    assert json.loads((tmp_path / MANIFEST).read_bytes())["inputs"] == 2
