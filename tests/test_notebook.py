"""The notebook runs from top to bottom and shows what it says."""

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

LARGEST_BYTES = 20_000


@pytest.fixture
def notebook(project_root: Path):
    return nbformat.read(project_root / "demo.ipynb", as_version=4)


def test_no_outputs_are_committed(project_root, notebook):
    """They would make a large file of it, and a change of every run."""
    assert (project_root / "demo.ipynb").stat().st_size < LARGEST_BYTES
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.slow
@pytest.mark.parametrize("onnx", [True, False])
def test_notebook_runs(project_root, tmp_path, notebook, onnx):
    (number,) = [
        i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", ())
    ]
    settings = f"OUT = {str(tmp_path)!r}\nONNX = {onnx}"
    notebook.cells.insert(number + 1, nbformat.v4.new_code_cell(settings))
    variables = {"IPYTHONDIR": str(tmp_path / "ipython")}
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(project_root)}}
    )
    client.execute(env=os.environ | variables)
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    drawing = ("draw_landmarks(", "show_flag=True", "plot_image(")
    expected = sum(
        any(call in cell.source for call in drawing) and "import" not in cell.source
        for cell in notebook.cells
        if cell.cell_type == "code"
    )
    assert sum("image/png" in out.get("data", ()) for out in outputs) == expected == 9
    assert not [out for out in outputs if out.get("name") == "stderr"]
    printed = "".join(out.get("text", "") for out in outputs)
    assert "1 face(s) with 62 parameters" in printed
    assert "39402 vertices, 78582 triangles" in printed
    assert "texture: (512, 512)" in printed
    texts = [out.get("data", {}).get("text/plain", "") for out in outputs]
    assert max(map(len, texts)) < 200  # no picture in numbers
    assert {path.name for path in tmp_path.glob("tour.*")} == {
        f"tour.{suffix}" for suffix in ("ply", "obj", "mtl", "png")
    }
