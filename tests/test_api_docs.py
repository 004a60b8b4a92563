"""The examples of docs/api.md and of the docstrings that users read."""

import doctest
import importlib

import pytest

MODULES = (
    "tddfa",
    "tddfa.detector",
    "tddfa.face",
    "tddfa.face_aligner",
    "tddfa.iou",
    "tddfa.plugins",
    "tddfa.tracking.association",
    "tddfa.tracking.tracker",
    "tddfa.visibility",
)


@pytest.fixture
def folder(project_root, tmp_path, monkeypatch):
    """A folder with the example's picture and the configurations in it."""
    for name in ("examples", "configs"):
        (tmp_path / name).symlink_to(project_root / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_document(project_root, folder):
    failed, run = doctest.testfile(
        str(project_root / "docs" / "api.md"), module_relative=False, encoding="utf-8"
    )
    assert run >= 20 and not failed
    assert {path.name for path in folder.glob("head.*")} == {
        "head.obj",
        "head.mtl",
        "head.png",
        "head.ply",
    }


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(folder, name):
    failed, run = doctest.testmod(importlib.import_module(name))
    assert not failed
    assert run or name == "tddfa.detector"


def test_every_attribute_of_the_table_is_there(project_root, pipeline):
    text = (project_root / "docs" / "api.md").read_text(encoding="utf-8")
    rows = text.split("## A face")[1].split("\n\n")[1].splitlines()[2:]
    names = [n.split("(")[0].strip("` ") for r in rows for n in r.split("|")[1].split(", ")]
    (face,) = pipeline.detect(project_root / "examples" / "inputs" / "astronaut.png")
    missing = [name for name in names if name.isidentifier() and not hasattr(face, name)]
    assert len(names) > 12 and not missing
