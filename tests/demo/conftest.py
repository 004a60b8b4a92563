"""``demo.py`` in this process, and a picture for it."""

from pathlib import Path

import cv2
import pytest

from tddfa.cli import run_main
from tddfa.commands import image as demo

ASTRONAUT = Path("examples/inputs/astronaut.png")


@pytest.fixture
def run(monkeypatch, pipeline, project_root, capsys):
    """Run ``demo.py`` in this process, with networks that are loaded already.

    Returns exit code, stdout and stderr.
    """
    monkeypatch.chdir(project_root)

    def call(*arguments):
        monkeypatch.setattr(demo, "build_pipeline", lambda args: pipeline)
        code = run_main(lambda: demo.main([str(a) for a in arguments]))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


@pytest.fixture
def face(project_root):
    return cv2.imread(str(project_root / ASTRONAUT))


@pytest.fixture
def files():
    """List the files below a folder."""
    return lambda folder: sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )
