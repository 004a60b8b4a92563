"""``demo.py`` as a process of its own, from any folder, and its help."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tddfa.commands import image as demo

ASTRONAUT = Path("examples/inputs/astronaut.png")


def test_as_a_process(project_root, tmp_path):
    """The README's command, with a picture shown although there is no screen."""
    command = [sys.executable, "demo.py", "--onnx"]
    command += ["-f", ASTRONAUT, "-o", "3d", "--show_flag", "true", "--out", tmp_path / "x.png"]
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=project_root, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "1 face" in done.stdout
    assert done.stderr.count("\n") == 1 and f"wrote {tmp_path / 'x.png'} (not" in done.stderr
    assert cv2.imread(str(tmp_path / "x.png")).shape == (512, 512, 3)


def test_default_picture_from_another_folder(project_root, tmp_path, files):
    command = [sys.executable, project_root / "demo.py", "--onnx", "--show_flag", "false"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{project_root / ASTRONAUT}: 1 face" in done.stdout
    assert "-> astronaut_2d_sparse.jpg" in done.stdout
    assert files(tmp_path) == ["astronaut_2d_sparse.jpg"]


def test_help_says_where_things_are(project_root, tmp_path, monkeypatch, capsys):
    for folder, picture, place in (
        (project_root, str(ASTRONAUT), "examples/results"),
        (tmp_path, str(project_root / ASTRONAUT), "the current folder"),
    ):
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit):
            demo.main(["--help"])
        told = "".join(capsys.readouterr().out.split())
        assert f"(default:{picture})" in told
        assert f"(default:{place})".replace(" ", "") in told


def test_installed_there_is_no_default_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tddfa.commands.image_arguments.project_root", lambda: tmp_path)
    with pytest.raises(SystemExit):
        demo.main([])
    assert "-f/--img_fp" in capsys.readouterr().err
