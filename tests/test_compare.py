"""`benchmarks.compare` with this checkout in the reference's place: it has all of its names."""

import sys

import pytest

from benchmarks import compare
from tddfa.errors import InputError

CONFIG = "configs/mb05_120x120.yml"


@pytest.mark.slow
def test_this_checkout_beside_itself(project_root, tmp_path, capsys):
    out = tmp_path / "table.md"
    words = ["--reference", str(project_root), "--reference_config", CONFIG, "-c", CONFIG]
    words += ["--rounds", "1", "--repeats", "2", "--faces", "1", "2", "--out", str(out)]
    words += ["--pictures", str(project_root / "examples" / "inputs" / "astronaut.png")]
    assert compare.main(words) == 0
    text = out.read_text()
    assert text == capsys.readouterr().out
    rows = [line for line in text.splitlines() if line.startswith("| ") and "512x512" in line]
    names = {line.split(" | ")[0].lstrip("| ") for line in rows}
    for step in ("detection", "regression, 2 faces", "render, 1 face", "obj, 1 face", "whole 3d"):
        assert any(name.startswith(step) for name in names), step
    assert all(len(line.split(" | ")) == 5 for line in rows)


@pytest.mark.slow
def test_ours_alone(project_root, capsys):
    picture = str(project_root / "examples" / "inputs" / "astronaut.png")
    words = ["--rounds", "1", "--repeats", "1", "--faces", "1", "--pictures", picture]
    assert compare.main(words) == 0
    text = capsys.readouterr().out
    assert "ratio" not in text and "| detection, 512x512 | " in text


def test_table_of_known_times():
    sides = [
        compare.Side(name, compare.ROOT, sys.executable, compare.ROOT / CONFIG)
        for name in ("ours", "reference")
    ]
    found = [{"a": [0.001, 0.003, 0.002], "b": [0.001]}, {"a": [0.004, 0.004, 0.004]}]
    *_, first, second = compare.table("Steps", sides, found).splitlines()
    assert first == "| a | 1.00 (2.00) | 4.00 (4.00) | 4.00 | 2.00 |"
    assert second == "| b | 1.00 (1.00) |  |  |  |"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--reference", "nowhere"], "expected a checkout with mb05_120x120.yml"),
        (["--mediapipe", "python"], "expected --task"),
    ],
)
def test_bad_input(words, message):
    with pytest.raises(InputError, match=message):
        compare.main(words)


def test_a_side_that_fails_says_why(project_root, tmp_path):
    side = compare.Side("reference", project_root, sys.executable, tmp_path / "missing.yml")
    with pytest.raises(InputError, match=r"reference .*: its steps failed: FileNotFoundError"):
        compare.run_steps(side, {"pictures": [], "faces": [], "rounds": 1})
