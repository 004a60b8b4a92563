"""Networks as ONNX Runtime has optimized them: the same numbers, and nothing that can go wrong."""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from tddfa.cache import cache_folder
from tddfa.onnx_session import open_session
from tddfa.optimized_model import COMPLETE, MODEL, WEIGHTS, entry_folder, is_intact

INPUTS = {
    "mb1_120x120": (2, 3, 120, 120),
    "mb05_120x120": (1, 3, 120, 120),
    "FaceBoxesProd": (1, 3, 97, 131),
}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    return cache_folder()


@pytest.fixture
def network(project_root) -> Path:
    return project_root / "weights" / "mb05_120x120.onnx"


def run(path, shape=INPUTS["mb05_120x120"]):
    blob = np.random.default_rng(0).random(shape, np.float32)
    return open_session(path, num_threads=1).run(None, {"input": blob})


@pytest.mark.parametrize("name", INPUTS)
def test_the_same_numbers_bit_by_bit(cache, project_root, name):
    path = project_root / "weights" / f"{name}.onnx"
    made, kept = (run(path, INPUTS[name]) for _ in range(2))
    assert is_intact(entry_folder(path))
    for first, second in zip(made, kept, strict=True):
        np.testing.assert_array_equal(first, second)


def test_inputs_and_outputs_keep_names_and_free_axes(cache, network):
    sessions = [open_session(network) for _ in range(2)]
    for get in ("get_inputs", "get_outputs"):
        first, second = ([(v.name, v.shape, v.type) for v in getattr(s, get)()] for s in sessions)
        assert first == second


def test_made_once(cache, network):
    run(network)
    folder = entry_folder(network)
    stamp = (folder / MODEL).stat().st_mtime_ns
    run(network)
    assert (folder / MODEL).stat().st_mtime_ns == stamp
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert not [*cache.glob(".*")]


def test_small_networks_are_not_kept(cache, small_config):
    path = Path(str(small_config["checkpoint_fp"])).with_suffix(".onnx")
    assert path.stat().st_size < 1 << 20
    open_session(path)
    assert not (cache / "optimized").exists()


@pytest.mark.parametrize("name", [MODEL, WEIGHTS, COMPLETE])
@pytest.mark.parametrize("damage", ["empty", "text", "one bit", "missing", "cut"])
def test_damaged_entries_are_made_anew(cache, network, name, damage):
    expected = run(network)
    file = entry_folder(network) / name
    data = file.read_bytes()
    middle = len(data) // 2
    broken = {
        "empty": b"",
        "text": b"text",
        "one bit": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "cut": data[:middle],
    }
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(broken[damage])
    np.testing.assert_array_equal(run(network), expected)
    assert is_intact(entry_folder(network))
    np.testing.assert_array_equal(run(network), expected)


@pytest.mark.parametrize("kind", ["a file in its way", "a file in the entry's way", "no home"])
def test_a_cache_that_cannot_be_written_does_no_harm(cache, network, kind, monkeypatch):
    if kind == "no home":
        for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setattr(Path, "home", no_home)
    elif kind == "a file in its way":
        cache.parent.write_text("no folder")
    else:
        cache.mkdir(parents=True)
        (cache / "optimized").write_text("no folder")
    assert run(network)[0].shape == (1, 62)
    if kind != "no home":
        assert not [*cache.glob(".optimize*")]


def no_home():
    raise RuntimeError("Could not determine home directory.")


def test_another_network_of_the_name_is_another_entry(cache, network, tmp_path):
    run(network)
    data = network.read_bytes()
    other = tmp_path / network.name
    other.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert entry_folder(other) != entry_folder(network)


def test_entries_are_limited(cache, network, tmp_path, monkeypatch):
    monkeypatch.setattr("tddfa.optimized_model._MOST_KEPT", 2)
    data = network.read_bytes()
    for number in range(4):
        path = tmp_path / f"net{number}.onnx"
        path.write_bytes(data + f"\x32\x01{number}".encode())  # one more field: a doc_string
        open_session(path)
        if (folder := entry_folder(path)).is_dir():
            os.utime(folder, (number, number))
    assert len([*(cache / "optimized").iterdir()]) == 2


def test_several_processes_at_once(cache, network):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        found = pool.map(run, [network] * 6)
    for outputs in found[1:]:
        np.testing.assert_array_equal(outputs, found[0])
    assert is_intact(entry_folder(network))
    assert not [*cache.glob(".*")]
