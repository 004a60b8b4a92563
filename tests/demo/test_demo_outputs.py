"""``demo.py`` as a user calls it: outputs and where they go."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from tddfa.io.results import MARKS
from tddfa.outputs import OUTPUTS

ASTRONAUT = Path("examples/inputs/astronaut.png")
DRAWINGS = ("2d_sparse", "2d_dense", "3d", "depth", "pncc", "pose")


def test_all_outputs_in_one_run(run, tmp_path, files):
    report = tmp_path / "faces.json"
    code, out, _ = run("-f", ASTRONAUT, "-o", "all", "--out", tmp_path / "o", "--json", report)
    assert code == 0
    assert "1 face" in out and "yaw:" in out and "score" in out
    names = {f"astronaut_{o}.{o if o in ('ply', 'obj', 'glb') else 'jpg'}" for o in OUTPUTS}
    assert set(files(tmp_path / "o")) == names
    for name in names:
        path = tmp_path / "o" / name
        if name.endswith(".jpg"):
            picture = cv2.imread(str(path))
            assert picture.shape == ((256, 256, 3) if "uv_tex" in name else (512, 512, 3))
            assert picture.std() > 5
        else:
            mesh = trimesh.load(path, process=False, force="mesh")
            assert mesh.vertices.shape == (39402, 3)
            assert mesh.faces.shape == (78582, 3)
            assert mesh.is_winding_consistent
    (record,) = json.loads(report.read_text())["pictures"]
    assert (record["height"], record["width"]) == (512, 512)
    assert sorted(Path(p).name for p in record["outputs"]) == sorted(names)
    (entry,) = record["faces"]
    assert len(entry["box"]) == len(entry["roi_box"]) == 4
    assert np.shape(entry["landmarks"]) == (68, 3)
    assert len(entry["param"]) == 62
    left, top, right, bottom = entry["box"]
    x, y, _ = np.mean(entry["landmarks"], axis=0)
    assert left < x < right and top < y < bottom
    assert 0.5 < entry["score"] <= 1


@pytest.mark.parametrize(("checkout", "folder"), [(True, "examples/results"), (False, ".")])
def test_default_output_folder(run, tmp_path, monkeypatch, project_root, checkout, folder):
    """In a checkout it is where it always was, elsewhere the working directory."""
    for mark in MARKS if checkout else ():
        (tmp_path / mark).parent.mkdir(exist_ok=True)
        if (project_root / mark).is_dir():
            (tmp_path / mark).mkdir()
        else:
            (tmp_path / mark).touch()
    (tmp_path / "x.png").write_bytes((project_root / ASTRONAUT).read_bytes())
    monkeypatch.chdir(tmp_path)
    code, _, _ = run("-f", tmp_path / "x.png", "-o", "pose")
    assert code == 0
    assert (tmp_path / folder / "x_pose.jpg").is_file()


@pytest.mark.parametrize(("option", "name"), [("3d", "a.png"), ("ply", "a.ply"), ("obj", "a.obj")])
def test_named_file(run, tmp_path, option, name, files):
    assert run("-f", ASTRONAUT, "-o", option, "--out", tmp_path / name)[0] == 0
    assert files(tmp_path) == [name]


@pytest.mark.parametrize(
    ("options", "name", "words"),
    [
        (["ply"], "a.jpg", [".ply"]),
        (["3d"], "a.obj", [".png"]),
        (["3d", "pose"], "a.jpg", ["folder"]),
    ],
)
def test_named_file_that_does_not_fit(run, tmp_path, options, name, words, assert_one_line, files):
    result = run("-f", ASTRONAUT, "-o", *options, "--out", tmp_path / name)
    assert_one_line(result, name, *words)
    assert files(tmp_path) == []


def test_binary_ply(run, tmp_path):
    run("-f", ASTRONAUT, "-o", "ply", "--ply_format", "binary", "--out", tmp_path / "b.ply")
    run("-f", ASTRONAUT, "-o", "ply", "--out", tmp_path / "a.ply")
    binary = trimesh.load(tmp_path / "b.ply", process=False)
    text = trimesh.load(tmp_path / "a.ply", process=False)
    np.testing.assert_allclose(binary.vertices, text.vertices, atol=0.0051)
    np.testing.assert_array_equal(binary.faces, text.faces)


def test_textured_obj(run, tmp_path, files):
    run("-f", ASTRONAUT, "-o", "obj", "--texture", "--out", tmp_path / "head.obj")
    assert files(tmp_path) == ["head.mtl", "head.obj", "head.png"]
    mesh = trimesh.load(tmp_path / "head.obj", process=False)
    assert mesh.visual.uv.shape == (len(mesh.vertices), 2)
    assert np.asarray(mesh.visual.material.image).std() > 5


def obj_vertices(path):
    rows = [line.split()[1:] for line in path.read_text().splitlines() if line.startswith("v ")]
    return np.array(rows, float)


@pytest.mark.parametrize("texture", [[], ["--texture"]])
def test_frontal_meshes(run, tmp_path, texture):
    """Without pose, in millimeters, with the colors of the posed face."""
    options = ["-f", ASTRONAUT, "-o", "obj", "ply", *texture]
    assert run(*options, "--out", tmp_path / "posed")[0] == 0
    assert run(*options, "--out", tmp_path / "frontal", "--frontal")[0] == 0
    posed = obj_vertices(tmp_path / "posed" / "astronaut_obj.obj")
    frontal = obj_vertices(tmp_path / "frontal" / "astronaut_obj.obj")
    np.testing.assert_array_equal(frontal[:, 3:], posed[:, 3:])
    size = np.ptp(frontal[:, :3], axis=0)
    assert (size > [140, 180, 100]).all() and (size < [220, 280, 220]).all()
    # The head is as wide on the left as on the right, and its nose points to the viewer.
    assert abs(frontal[:, 0].min() + frontal[:, 0].max()) < 5
    mesh = trimesh.load(tmp_path / "frontal" / "astronaut_ply.ply", process=False)
    np.testing.assert_allclose(mesh.vertices, frontal[:, :3], atol=0.011)
    assert mesh.is_winding_consistent
    assert mesh.face_normals[mesh.triangles_center[:, 2] > 60][:, 2].mean() > 0.3
    if texture:
        pictures = [tmp_path / name / "astronaut_obj.png" for name in ("posed", "frontal")]
        assert pictures[0].read_bytes() == pictures[1].read_bytes()


@pytest.mark.parametrize("option", ["--frontal", "--texture"])
@pytest.mark.parametrize("output", ["2d_sparse", "glb"])
def test_what_an_output_has_no_use_for(run, tmp_path, assert_one_line, files, option, output):
    result = run("-f", ASTRONAUT, "-o", output, option, "--out", tmp_path / "out")
    assert_one_line(result, option, "obj", output)
    assert files(tmp_path) == []


def test_frontal_needs_a_mesh(run, tmp_path, assert_one_line, files):
    result = run("-f", ASTRONAUT, "-o", "3d", "--frontal", "--out", tmp_path / "a.png")
    assert_one_line(result, "--frontal", "ply", "obj", "3d")
    assert files(tmp_path) == []


def test_no_background(run, tmp_path, face):
    assert run("-f", ASTRONAUT, "-o", *DRAWINGS, "uv_tex", "--out", tmp_path / "a")[0] == 0
    run("-f", ASTRONAUT, "-o", *DRAWINGS, "uv_tex", "--out", tmp_path / "b", "--no_background")
    for option in DRAWINGS:
        with_picture, alone = (
            cv2.imread(str(tmp_path / name / f"astronaut_{option}.jpg")).astype(int)
            for name in "ab"
        )
        assert np.abs(with_picture[300:] - face[300:]).mean() < 5
        assert alone[300:].max() <= 2, option  # JPEG
        assert (alone.max(axis=2) > 60).mean() > 0.002, option
    texture = [(tmp_path / name / "astronaut_uv_tex.jpg").read_bytes() for name in "ab"]
    assert texture[0] == texture[1]
