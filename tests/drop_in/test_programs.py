"""Programs in the style of the reference's users, run as they are, each in a process of its own.

They were written against the reference's names alone. What they assert inside is the reference's
contract; what they print and write is checked here.
"""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

PROGRAMS = Path(__file__).parent / "programs"
ANGLES = re.compile(r"yaw: (-?\d+\.\d), pitch: (-?\d+\.\d), roll: (-?\d+\.\d)")


@pytest.fixture(scope="module")
def portrait(project_root):
    return project_root / "examples" / "inputs" / "astronaut.png"


@pytest.fixture(scope="module")
def nobody(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "nobody.png"
    cv2.imwrite(str(path), np.full((120, 160, 3), 90, np.uint8))
    return path


@pytest.fixture(scope="module")
def couple(portrait, tmp_path_factory):
    """Two faces, the larger one with the lower score or not: sorting must tell."""
    img = cv2.imread(str(portrait))[:256, 60:380]
    small = cv2.resize(img[:, ::-1], None, fx=0.6, fy=0.6)
    canvas = np.full((256, img.shape[1] + small.shape[1], 3), 90, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    canvas[:, small.shape[1] :] = img
    path = tmp_path_factory.mktemp("pictures") / "couple.png"
    cv2.imwrite(str(path), canvas)
    return path


@pytest.fixture(scope="module")
def clip(portrait, tmp_path_factory):
    """The portrait moving and turning, 12 frames."""
    img = cv2.imread(str(portrait))
    path = tmp_path_factory.mktemp("videos") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (400, 320))
    for number in range(12):
        turn = cv2.getRotationMatrix2D((228, 118), 2 * number - 12, 1 + number / 60)
        turn[:, 2] += (-28 + 2 * number, 30)
        writer.write(cv2.warpAffine(img, turn, (400, 320)))
    writer.release()
    return path


def run(root, name, *arguments):
    """Run a program with the checkout as its working directory and on its search path."""
    environment = os.environ | {"PYTHONPATH": str(root), "MPLBACKEND": "agg"}
    environment.pop("TDDFA_ASSETS", None)
    command = [sys.executable, PROGRAMS / f"{name}.py", *arguments]
    done = subprocess.run(
        list(map(str, command)), cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_head_pose_cropper(project_root, portrait, couple, nobody, tmp_path):
    printed = run(
        project_root, "head_pose_cropper", "-f", couple, nobody, portrait, "-o", tmp_path / "new"
    )
    assert f"No face in {nobody}" in printed
    angles = np.array(ANGLES.findall(printed), float)
    assert angles.shape == (3, 3)
    with (tmp_path / "new" / "pose.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["couple", "couple", "astronaut"]
    listed = np.array([[float(row[key]) for key in ("yaw", "pitch", "roll")] for row in rows])
    np.testing.assert_allclose(listed, angles, atol=0.06)
    # The largest one is the portrait itself, the other one its mirror image.
    np.testing.assert_allclose(listed[0], listed[2], atol=3)
    np.testing.assert_allclose(listed[1, 2], -listed[2, 2], atol=5)
    assert cv2.imread(str(tmp_path / "new" / "couple_1.jpg")).shape == (256, 256, 3)
    assert (tmp_path / "new" / "astronaut_pose.jpg").is_file()


def test_talking_head(project_root, clip, tmp_path):
    printed = run(project_root, "talking_head", clip, tmp_path)
    assert len(ANGLES.findall(printed)) == 11
    assert printed.splitlines()[-1] == "11 1"
    landmarks = np.load(tmp_path / "landmarks.npy")
    assert landmarks.shape == (11, 3, 68)
    # It followed the face: from frame to frame by a few pixels, in the end where the face is.
    steps = np.diff(landmarks[:, :2].mean(axis=2), axis=0)
    assert 0.5 < np.linalg.norm(steps, axis=1).max() < 8
    assert np.linalg.norm(landmarks[-1, :2].mean(axis=1) - landmarks[0, :2].mean(axis=1)) > 10


def test_dataset_labeller(project_root, portrait, couple, nobody, tmp_path):
    printed = run(project_root, "dataset_labeller", tmp_path, portrait, couple, nobody)
    assert printed.splitlines()[-1] == "3 [1, 2, 0]"
    labels = json.loads((tmp_path / "labels.json").read_text())
    assert [len(params) for _, _, params, _ in labels] == [1, 2, 0]
    n_vertices = 39402
    for name, count in (("astronaut", 1), ("couple", 2), ("nobody", 0)):
        for suffix in ("ply", "obj"):
            written = (tmp_path / f"{name}.{suffix}").read_bytes()
            assert written == (tmp_path / f"{name}_m.{suffix}").read_bytes()
            scene = trimesh.load_scene(tmp_path / f"{name}.{suffix}", process=False)
            found = [len(mesh.vertices) for mesh in scene.geometry.values()]
            assert found == ([count * n_vertices] if count else [])
            singles = sorted(path.name for path in tmp_path.glob(f"{name}_s*.{suffix}"))
            assert singles == [f"{name}_s_{i + 1}.{suffix}" for i in range(count)]
        assert bool(cv2.imread(str(tmp_path / f"{name}_pncc.png")).any()) == bool(count)


def test_notebook_style(project_root, portrait, tmp_path):
    printed = run(project_root, "notebook_style", portrait, tmp_path)
    assert "Detect 1 faces" in printed and len(ANGLES.findall(printed)) == 1
    assert (tmp_path / "sparse.pdf").read_bytes().startswith(b"%PDF")
    img = cv2.imread(str(portrait))
    for name in ("sparse.png", "dense.png", "3d.jpg", "depth.jpg", "pncc.png", "pose.jpg"):
        drawn = cv2.imread(str(tmp_path / name))
        assert drawn.shape == img.shape and (drawn != img).any(), name
    assert cv2.imread(str(tmp_path / "uv.png")).shape == (256, 256, 3)
    cyan, red = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("dense", "dense_red"))
    # c is Matplotlib's (0, 0.75, 0.75), drawn at 0.8 over the picture.
    face = np.s_[100:150, 200:250]
    assert cyan[face][..., 1].mean() > red[face][..., 1].mean() + 20
    assert red[face][..., 2].mean() > cyan[face][..., 2].mean() + 20


def test_live_avatar(project_root, clip, tmp_path):
    assert run(project_root, "live_avatar", clip, tmp_path).splitlines()[-1] == "12 True"
    assert cv2.imread(str(tmp_path / "face.png")).shape == (128, 128, 3)
    assert cv2.imread(str(tmp_path / "tex.png")).any()


def test_torch_render(project_root, portrait, tmp_path):
    assert run(project_root, "torch_render", portrait, tmp_path) == "fitted\n"
