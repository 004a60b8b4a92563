import pytest

from benchmarks.compare import ROOT, Side, main, table
from tddfa.errors import InputError


def test_table_of_ratios_and_what_was_left_out():
    ours = Side("ours", "", ROOT, {"a": [0.001, 0.003], "b": [0.5]})
    other = Side("reference", "", ROOT, {"a": [0.004, 0.006], "b": []}, {"b": "it broke"})
    lines = table([ours, other]).splitlines()
    assert "| a | 1 (2) | 4 (5) | 4.00 | 2.50 |" in lines
    assert "| b | 500 (500) | – | – | – |" in lines
    assert lines[-1] == "reference left out b: it broke"


def test_folder_that_is_no_checkout(tmp_path):
    with pytest.raises(InputError, match="TDDFA_ONNX"):
        main([str(tmp_path)])


def test_a_checkout_beside_itself(capsys):
    assert main([str(ROOT), "--name", "twin", "-n", "1"]) == 0
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if line.startswith("| dense reconstruction")]
    assert len(rows) == 3
    assert all("–" not in row for row in rows)
    assert "left out" not in out
