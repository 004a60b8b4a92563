"""Wheel and source distribution: what is in them, and that they work where they are installed."""

import email
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tddfa import __version__

KERNELS = {
    *("FaceBoxes/_nms", "Sim3DR/_lighting", "Sim3DR/_normals", "Sim3DR/_rasterize"),
    *("tddfa/_reconstruct", "tddfa/drawing/_sampling", "tddfa/export/_text_format"),
}
DATA = {"tddfa/configs/face_model.npz", "tddfa/weights/mb1_120x120.onnx", "tddfa/py.typed"}
TOP_LEVEL = {"FaceBoxes", "Sim3DR", "tddfa", "TDDFA.py", "TDDFA_ONNX.py"}
TABLE = re.compile(r"^\| ([^|]+) \| ([\d.]+) \|$", re.MULTILINE)


def check_wheel(path: Path, project_root: Path) -> None:
    """Check names and metadata."""
    assert "-cp311-abi3-" in path.name and f"-{__version__}-" in path.name
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        sizes = {entry.filename: entry.file_size for entry in wheel.infolist()}
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        fields = email.message_from_bytes(wheel.read(metadata))
    text = (project_root / "docs" / "install.md").read_text(encoding="utf-8")
    check_documented_sizes(path, sizes, text)
    folder = metadata.split("/")[0]
    compiled = {name.split(".")[0] for name in names if name.endswith((".so", ".pyd"))}
    assert compiled == KERNELS
    assert names >= DATA
    assert {name.split("/")[0] for name in names} == TOP_LEVEL | {folder}
    assert not [name for name in names if name.endswith((".pyx", ".h", ".c"))]
    needed = [line for line in fields.get_all("Requires-Dist") if "extra ==" not in line]
    words = " ".join(needed)
    assert words.count("opencv") == 1 and "torch" not in words and "onnx>" not in words
    project = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(project["optional-dependencies"]) == set(fields.get_all("Provides-Extra"))


def check_documented_sizes(wheel: Path, sizes: dict[str, int], text: str) -> None:
    """Compare the table of docs/install.md with a wheel, in megabytes."""
    table = {part: float(size) for part, size in TABLE.findall(text)}
    found = dict.fromkeys(table, 0.0)
    for name, size in sizes.items():
        part = {".onnx": "weights for ONNX Runtime", ".pth": "weights for PyTorch"}.get(
            Path(name).suffix, "compiled kernels"
        )
        part = "face model" if name.endswith("face_model.npz") else part
        part = "blendshapes" if name.endswith("blendshapes.npz") else part
        (row,) = [row for row in table if row.startswith(part)]
        found[row] += size / 1e6
    found[next(row for row in table if row.startswith("the wheel"))] = wheel.stat().st_size / 1e6
    assert found == pytest.approx(table, rel=0.25)


def check_installed(python: Path, project_root: Path, folder: Path) -> None:
    """Run the script that looks at an installed package, in that environment alone."""
    script = project_root / "tests" / "package" / "installed_package.py"
    picture = project_root / "examples" / "inputs" / "astronaut.png"
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(python), str(script), str(picture)]
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the installed package works" in done.stdout


@pytest.mark.slow
def test_wheel(build, environment, project_root, tmp_path):
    """In a fresh environment, with the packages that its metadata ask for and no others."""
    wheel = build("wheel")
    check_wheel(wheel, project_root)
    check_installed(environment(wheel), project_root, tmp_path)


@pytest.mark.slow
def test_source_distribution(build, environment, project_root, tmp_path):
    """It holds what the kernels are made of, and nothing that was made of it; pip installs it."""
    sdist = build("sdist")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {f"{kernel}.pyx" for kernel in KERNELS} <= names
    assert {"Sim3DR/_rasterize.h", "requirements/run.txt", "tests/conftest.py"} <= names
    assert not [name for name in names if name.endswith((".c", ".so", ".pyd", ".pyc"))]
    python = environment(sdist)
    check_installed(python, project_root, tmp_path)


@pytest.mark.parametrize("name", ["opencv-contrib-python", "opencv_python"])
def test_the_opencv_that_is_installed_is_required(project_root, tmp_path, name):
    """Any of the four packages with the module cv2 will do; a second one would overwrite it."""
    found = tmp_path / "packages" / f"{name.replace('-', '_')}-4.11.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 4.11\n")
    variables = os.environ | {"PYTHONPATH": str(found.parent)}
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path)]
    subprocess.run(command, cwd=project_root, env=variables, check=True, capture_output=True)
    lines = (tmp_path / "tddfa.egg-info" / "requires.txt").read_text().split("\n\n")[0].split()
    assert [line for line in lines if "opencv" in line] == [f"{name.replace('_', '-')}>=4.10.0.84"]


def test_pinned_packages_meet_the_bounds(project_root):
    """What build.sh installs is within what the package allows, and complete."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    def lines(name: str) -> list[Requirement]:
        text = (project_root / name).read_text(encoding="utf-8")
        return [Requirement(line) for line in text.splitlines() if line and line[0] != "#"]

    pinned = {
        canonicalize_name(line.name): next(iter(line.specifier)).version
        for line in lines("requirements.txt")
    }
    extras = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    optional = extras["project"]["optional-dependencies"]
    wanted = lines("requirements/run.txt")
    wanted += [Requirement(line) for name in ("torch", "show", "dev") for line in optional[name]]
    for requirement in wanted:
        name = canonicalize_name(requirement.name).removesuffix("-headless")
        # build.sh installs PyTorch by itself; the last two are for people.
        if name not in ("tddfa", "torch", "build", "pre-commit"):
            assert name in pinned, f"requirements.txt lacks {name}"
            assert requirement.specifier.contains(pinned[name]), requirement
    hooks = (project_root / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert hooks.count(f"ruff=={pinned['ruff']}") == hooks.count("ruff==") == 2
