"""The notebooks run from top to bottom and show what they say, and are committed as they ran."""

import base64
import json
import os
import re
from pathlib import Path

import pytest

from tddfa.io.decode import decode

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = ("demo.ipynb", "video_and_avatars.ipynb")
LARGEST_BYTES, LARGEST_SIDE = 700_000, 640
# Folders of one machine, in either system's spelling, and the marks of what went wrong.
ALIEN = re.compile(
    r"(?<![\w.])/(home|root|work|tmp|usr|Users|content|mnt|opt|var)/|[A-Z]:\\\\|site-packages"
    r"|Traceback|\bWarning\b|WARNING"
)


def read(project_root: Path, name: str):
    return nbformat.read(project_root / name, as_version=4)


def codes(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def results(notebook):
    return [out for cell in codes(notebook) for out in cell.outputs]


def pictures(outputs):
    return [out["data"]["image/jpeg"] for out in outputs if "image/jpeg" in out.get("data", ())]


def execute(notebook, project_root, tmp_path, settings):
    (number,) = [
        i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", ())
    ]
    notebook.cells.insert(number + 1, nbformat.v4.new_code_cell(settings))
    variables = {"IPYTHONDIR": str(tmp_path / "ipython")}
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(project_root)}}
    )
    client.execute(env=os.environ | variables)
    outputs = results(notebook)
    assert not [out for out in outputs if out.get("name") == "stderr"]
    texts = [out.get("data", {}).get("text/plain", "") for out in outputs]
    assert max(map(len, texts)) < 200  # no picture in numbers
    return outputs, "".join(out.get("text", "") for out in outputs)


@pytest.mark.parametrize("text", ["/home/me/x", r"C:\\Users\\x", "Traceback (most recent"])
def test_what_must_not_be_committed_is_recognized(text):
    assert ALIEN.search(json.dumps(text))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_as_it_ran(project_root, name):
    notebook = read(project_root, name)
    nbformat.validate(notebook)
    cells = codes(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert (project_root / name).stat().st_size < LARGEST_BYTES
    outputs = results(notebook)
    assert not [out for out in outputs if out.output_type == "error" or out.get("name") == "stderr"]
    without_pictures = [
        {kind: data for kind, data in out.get("data", {}).items() if "image/" not in kind}
        | {"text": out.get("text", "")}
        for out in outputs
    ]
    sources = [cell.source for cell in notebook.cells]
    assert not ALIEN.search(json.dumps([without_pictures, sources, notebook.metadata]))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_pictures_are_small(project_root, name):
    outputs = results(read(project_root, name))
    assert not [out for out in outputs if "image/png" in out.get("data", ())]
    shown = [decode(base64.b64decode(data)) for data in pictures(outputs)]
    assert len(shown) >= 6
    for picture in shown:
        assert max(picture.shape[:2]) <= LARGEST_SIDE
        assert picture.std() > 10  # something is on it


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_one_cell_installs(project_root, name):
    """First of all, and only where there is nothing yet."""
    cells = codes(read(project_root, name))
    assert [number for number, cell in enumerate(cells) if "%pip" in cell.source] == [0]
    assert not cells[0].outputs


@pytest.mark.slow
@pytest.mark.parametrize("onnx", [True, False])
def test_tour_runs(project_root, tmp_path, onnx):
    notebook = read(project_root, "demo.ipynb")
    settings = f"OUT = {str(tmp_path)!r}\nONNX = {onnx}"
    outputs, printed = execute(notebook, project_root, tmp_path, settings)
    drawing = ("draw_landmarks(", "show_flag=True", "plot_image(")
    expected = sum(
        any(call in cell.source for call in drawing) and "import" not in cell.source
        for cell in codes(notebook)
    )
    assert len(pictures(outputs)) == expected == 9
    assert "1 face(s) with 62 parameters" in printed
    assert "39402 vertices, 78582 triangles" in printed
    assert "texture: (512, 512)" in printed
    assert {path.name for path in tmp_path.glob("tour.*")} == {
        f"tour.{suffix}" for suffix in ("ply", "obj", "mtl", "png")
    }


@pytest.mark.slow
def test_video_and_avatars_run(project_root, tmp_path):
    notebook = read(project_root, "video_and_avatars.ipynb")
    settings = f"OUT = {str(tmp_path)!r}\nSECONDS = 2"
    outputs, printed = execute(notebook, project_root, tmp_path, settings)
    assert len(pictures(outputs)) == 6
    assert "ids: [1]" in printed
    assert "frames with one face: 50 of 50" in printed
    assert "39402 vertices, 52 morph targets" in printed
    assert "{'rotation': 50, 'translation': 50, 'weights': 50} keys" in printed
    jitter = dict(re.findall(r"^(\w+) +jitter ([\d.]+) px", printed, re.M))
    assert float(jitter["mean"]) < float(jitter["none"])
    assert float(jitter["one_euro"]) < float(jitter["none"])
    made = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert made == {"clip.mp4", "tracked.mp4", "faces.csv", "head.glb", "photo.glb"}
