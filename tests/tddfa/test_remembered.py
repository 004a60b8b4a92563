import os
import time

import pytest

from tddfa.cache import cache_folder
from tddfa.remembered import remembered


@pytest.fixture
def cache(tmp_path, monkeypatch):
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    return cache_folder()


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file that was not changed just now, as the clock has it."""
    path = tmp_path / "file"
    path.write_text("contents")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 60)
    return path


class Count:
    """Return what it was given, and count how often."""

    def __init__(self, value):
        self.value, self.calls = value, 0

    def __call__(self):
        self.calls += 1
        return self.value


def test_computed_once(cache, file):
    count = Count("value")
    assert [remembered(file, "kind", count) for _ in range(3)] == ["value"] * 3
    assert count.calls == 1


@pytest.mark.parametrize("text", ["", "two words", "ä {}\n"])
def test_any_text_is_kept(cache, file, text):
    for _ in range(2):
        assert remembered(file, "kind", Count(text)) == text


def test_kinds_and_files_are_told_apart(cache, file, tmp_path):
    other = tmp_path / "other"
    other.write_text("contents")
    names = [(file, "a"), (file, "b"), (other, "a")]
    for number, (path, kind) in enumerate(names):
        assert remembered(path, kind, Count(str(number))) == str(number)


def test_a_change_that_keeps_size_and_time_is_noticed(cache, file):
    status = file.stat()
    assert remembered(file, "kind", Count("old")) == "old"
    time.sleep(0.02)
    file.write_text("CONTENTS")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    if os.name == "posix":  # elsewhere nobody keeps the time of the last change
        assert remembered(file, "kind", Count("new")) == "new"


def test_what_changed_just_now_is_not_remembered(cache, tmp_path):
    path = tmp_path / "new"
    path.write_text("contents")
    count = Count("value")
    for _ in range(2):
        remembered(path, "kind", count)
    assert count.calls == 2


@pytest.mark.parametrize("damage", [b"", b"x", b"\xff\xfe", "one bit", "cut"])
def test_damaged_entries_are_made_anew(cache, file, damage):
    remembered(file, "kind", Count("value"))
    (entry,) = (cache / "known").iterdir()
    data = entry.read_bytes()
    broken = {"one bit": data[:-1] + bytes([data[-1] ^ 1]), "cut": data[:-1]}
    entry.write_bytes(broken.get(damage, damage))
    count = Count("value")
    assert [remembered(file, "kind", count) for _ in range(2)] == ["value"] * 2
    assert count.calls == 1


def test_a_cache_that_cannot_be_written_costs_time_alone(cache, file):
    cache.parent.write_text("no folder")
    count = Count("value")
    assert [remembered(file, "kind", count) for _ in range(2)] == ["value"] * 2
    assert count.calls == 2


def test_a_file_that_is_missing_is_left_to_who_reads_it(cache, tmp_path):
    with pytest.raises(FileNotFoundError):
        remembered(tmp_path / "absent", "kind", (tmp_path / "absent").read_text)
    assert not cache.exists()


def test_entries_are_limited(cache, file, monkeypatch):
    monkeypatch.setattr("tddfa.remembered._MOST_KEPT", 3)
    for number in range(6):
        remembered(file, str(number), Count("x"))
    assert len([*(cache / "known").iterdir()]) == 3
