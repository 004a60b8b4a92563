"""A clean copy of the checkout to build from, and environments to install into."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

# What is no source: made by builds, tests and tools.
LEFT_OUT = shutil.ignore_patterns(
    *(".*_cache", ".git", ".hypothesis", ".venv", "__pycache__", "*.egg-info", "*.so", "*.pyd"),
    *("*.c", "build", "dist", "assets", "runs", "results", "wt"),
)
OFFLINE = ("NewConnectionError", "No matching distribution", "NameResolutionError")


@pytest.fixture
def source(project_root: Path, tmp_path: Path) -> Path:
    """The checkout's sources, in a folder where builds may leave what they like."""
    return Path(shutil.copytree(project_root, tmp_path / "source", ignore=LEFT_OUT))


@pytest.fixture
def build(source: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that builds a ``wheel`` or an ``sdist`` with this environment's tools."""

    def build(kind: str) -> Path:
        code = "import sys; from setuptools import build_meta as b; "
        code += f"print(b.build_{kind}(sys.argv[1]))"
        target = tmp_path / "dist"
        target.mkdir(exist_ok=True)
        return target / run([sys.executable, "-c", code, target], source).split()[-1]

    return build


@pytest.fixture
def environment(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that installs requirements into a fresh environment, and its Python."""

    def make(*requirements: str | Path) -> Path:
        folder = tmp_path / "environment"
        venv.create(folder, symlinks=os.name != "nt", with_pip=True)
        scheme = {"base": str(folder), "platbase": str(folder)}
        python = Path(sysconfig.get_path("scripts", "venv", scheme), "python")
        try:
            run([python, "-m", "pip", "install", "--quiet", *requirements], tmp_path)
        except AssertionError as error:
            if not os.environ.get("CI") and any(word in str(error) for word in OFFLINE):
                pytest.skip("there is no package index to install from")
            raise
        return python

    return make


def run(command: list[str | Path], folder: Path) -> str:
    """Run a process without this one's search path and return what it printed."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
