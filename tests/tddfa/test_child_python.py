"""Modules of the package in processes of their own."""

import os
import subprocess

import pytest

from tddfa.child_python import child_command, child_environment


@pytest.mark.parametrize("others", [None, "", "elsewhere"])
def test_it_is_this_package_whatever_lies_in_the_current_folder(tmp_path, others):
    for name in ("tddfa", "FaceBoxes", "numbers"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('another one')")
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment = child_environment(variables | ({"PYTHONPATH": others} if others else {}))
    command = child_command("tddfa.export_onnx", ["--help"])
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "checkpoint" in done.stdout
    if others:
        assert environment["PYTHONPATH"].endswith(others)


def test_the_environment_is_otherwise_what_it_was():
    assert {**child_environment({"A": "b"}), "PYTHONPATH": ""} == {"A": "b", "PYTHONPATH": ""}
