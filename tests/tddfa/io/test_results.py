from pathlib import Path

import pytest

from tddfa.io.results import results_folder, results_place


@pytest.mark.parametrize(("kind", "expected"), [("", ""), ("videos", "videos")])
def test_in_a_checkout(project_root, monkeypatch, kind, expected):
    monkeypatch.chdir(project_root)
    assert results_folder(kind) == Path("examples/results") / expected
    assert results_place(kind) == str(results_folder(kind))


@pytest.mark.parametrize("kind", ["", "videos"])
def test_elsewhere(tmp_path, monkeypatch, kind):
    (tmp_path / "examples").mkdir()  # somebody's own
    monkeypatch.chdir(tmp_path)
    assert results_folder(kind) == Path()
    assert results_place(kind) == "the current folder"
