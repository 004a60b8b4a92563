"""What the documents say is so: examples run, links lead somewhere, tables are complete."""

import dataclasses
import doctest
import re
from pathlib import Path

import pytest

from tddfa import Config
from tddfa.reference_files import ALL_FILES, COMMIT

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "weights/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")


@pytest.fixture
def assets_text(project_root):
    return (project_root / "docs" / "assets.md").read_text(encoding="utf-8")


def test_examples(project_root, monkeypatch):
    monkeypatch.chdir(project_root)
    failed, run = doctest.testfile(
        str(project_root / "docs" / "conventions.md"), module_relative=False, encoding="utf-8"
    )
    assert run >= 20
    assert not failed


def headings(text):
    """Return the anchors of a document's headings, as GitHub and the site name them."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for line in re.findall(r"^#+ (.*)$", outside, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line).replace("`", "").strip().lower()
        yield re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links(project_root, name):
    document = project_root / name
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if "://" in target:
            assert re.fullmatch(r"https?://[\w.-]+\.\w+(/\S*)?", target)
            continue
        path, _, anchor = target.partition("#")
        there = document.parent / path if path else document
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in set(headings(there.read_text(encoding="utf-8"))), target


def test_every_key_of_a_configuration_is_explained(assets_text):
    table = assets_text.split("## Configuration")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    keys = [key for row in rows for key in re.findall(r"`(\w+)`", row)]
    assert sorted(keys) == sorted(field.name for field in dataclasses.fields(Config))


def test_every_default_of_a_configuration_is_right(assets_text):
    for field in dataclasses.fields(Config):
        if isinstance(field.default, str):
            assert re.search(rf"\| `{field.name}` \| `{re.escape(field.default)}` \|", assets_text)


def test_files_of_the_reference(assets_text):
    assert COMMIT in assets_text
    table = re.findall(r"\| `([\w/.]+)`[^|]* \| `([0-9a-f]{40})` \|", assets_text)
    assert table == [(file.path, file.blob) for file in ALL_FILES]


def test_arrays_of_the_face_model(project_root, assets_text):
    """The tables name what the loader reads, and all that our model has."""
    import numpy as np

    section = assets_text.split("## Face model, `.npz`")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", section))
    source = (project_root / "tddfa" / "model_files.py").read_text(encoding="utf-8")
    read = set(re.findall(r'arrays(?:\.get\(|\[)"(\w+)"', source))
    assert {"u", "mirror", "format_version"} <= read <= named
    with np.load(project_root / "configs" / "face_model.npz") as archive:
        assert set(archive.files) <= named


def test_figures_are_drawn(project_root: Path, tmp_path: Path):
    """The script runs on the shipped face model and makes every picture that is linked."""
    import importlib.util

    specification = importlib.util.spec_from_file_location(
        "make_figures", project_root / "docs" / "make_figures.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.main(["--out", str(tmp_path)]) == 0
    drawn = {path.name for path in tmp_path.iterdir()}
    text = (project_root / "docs" / "conventions.md").read_text(encoding="utf-8")
    assert drawn == set(re.findall(r"images/conventions/(\w+\.png)", text))
