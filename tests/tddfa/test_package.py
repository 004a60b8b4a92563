import subprocess
import sys

import pytest

import tddfa


def test_a_checkout_without_compiled_kernels_says_so(tmp_path, project_root):
    (tmp_path / "tddfa").mkdir()
    for name in ("__init__.py", "errors.py"):
        (tmp_path / "tddfa" / name).write_text((project_root / "tddfa" / name).read_text("utf-8"))
    (tmp_path / "tddfa" / "face_aligner.py").write_text("import tddfa._kernel")
    code = "from tddfa import FaceAligner"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: tddfa._kernel is not compiled here: ./build.sh or ")


@pytest.mark.parametrize("name", ["nothing_of_this_name", "_nothing"])
def test_other_missing_modules_are_named_as_ever(tmp_path, project_root, name):
    (tmp_path / "tddfa").mkdir()
    text = (project_root / "tddfa" / "__init__.py").read_text("utf-8")
    (tmp_path / "tddfa" / "__init__.py").write_text(text)
    (tmp_path / "tddfa" / "face_aligner.py").write_text(f"import {name}")
    code = "from tddfa import FaceAligner"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert f"ModuleNotFoundError: No module named '{name}'" in done.stderr


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="'tddfa' has no attribute 'nothing'"):
        tddfa.nothing  # noqa: B018
