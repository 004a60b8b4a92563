"""``demo.py`` and what it is given: every kind of picture, no face, bad input."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tddfa.outputs import OUTPUTS

ASTRONAUT = Path("examples/inputs/astronaut.png")


def test_url(run, assert_one_line):
    assert_one_line(run("-f", "https://example.org//a.jpg"), "https://example.org//a.jpg")


@pytest.mark.parametrize("name", ["gray.png", "alpha.png", "deep.png", "gray_deep.tif", "ü b.jpg"])
def test_kinds_of_pictures(run, tmp_path, face, name):
    kinds = {
        "gray.png": cv2.cvtColor(face, cv2.COLOR_BGR2GRAY),
        "alpha.png": np.dstack([face, np.full(face.shape[:2], 255, np.uint8)]),
        "deep.png": face.astype(np.uint16) * 257,
        "gray_deep.tif": face[..., 1].astype(np.uint16) * 257,
        "ü b.jpg": face,
    }
    _, encoded = cv2.imencode(Path(name).suffix, kinds[name])
    (tmp_path / name).write_bytes(encoded.tobytes())
    code, out, _ = run("-f", tmp_path / name, "-o", "2d_sparse", "--out", tmp_path / "o")
    assert code == 0 and "1 face" in out


def test_exif_orientation(run, tmp_path, face):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90° clockwise
    turned = np.ascontiguousarray(np.rot90(face)[..., ::-1])
    Image.fromarray(turned).save(tmp_path / "t.jpg", exif=exif, quality=95)
    run("-f", tmp_path / "t.jpg", "-o", "pose", "--json", tmp_path / "t.json", "--out", tmp_path)
    run("-f", ASTRONAUT, "-o", "pose", "--json", tmp_path / "u.json", "--out", tmp_path)
    rolls = [
        json.loads((tmp_path / name).read_text())["pictures"][0]["faces"][0]["roll"]
        for name in ("t.json", "u.json")
    ]
    assert rolls[0] == pytest.approx(rolls[1], abs=1)


@pytest.fixture
def no_face(tmp_path):
    path = tmp_path / "empty.png"
    cv2.imwrite(str(path), np.full((200, 300, 3), 90, np.uint8))
    return path


def test_no_face_is_an_answer(run, tmp_path, no_face):
    report = tmp_path / "r.json"
    code, out, err = run("-f", no_face, "-o", "all", "--out", tmp_path / "o", "--json", report)
    assert (code, err) == (0, "")
    assert "no face" in out
    assert not (tmp_path / "o").exists()
    assert json.loads(report.read_text())["pictures"][0]["faces"] == []


def test_no_face_on_demand_an_error(run, tmp_path, no_face, assert_one_line):
    result = run("-f", no_face, "--out", tmp_path / "o", "--fail_on_no_face")
    assert_one_line(result, "without a face")


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 2)])
def test_tiny_and_thin_pictures(run, tmp_path, shape):
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((*shape, 3), np.uint8))
    code, out, _ = run("-f", tmp_path / "x.png", "-o", "all", "--out", tmp_path / "o")
    assert code == 0 and "no face" in out


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells its peak")
def test_huge_picture_in_bounded_memory(project_root, tmp_path, face):
    """12,000 x 9,000 px are 309 MiB decoded; everything else may take three times that."""
    image = np.zeros((9000, 12000, 3), np.uint8)
    image[4000:5024, 5000:6024] = cv2.resize(face, (1024, 1024))
    cv2.imwrite(str(tmp_path / "huge.jpg"), image)
    script = (
        "import sys; from tddfa.commands import image; code = image.main(sys.argv[1:]);"
        # Not what getrusage says, which knows the size of the process that this one began in.
        "peak = open('/proc/self/status').read().split('VmHWM:')[1].split()[0];"
        "print(code, int(peak) // 1024)"
    )
    command = [sys.executable, "-c", script, "--onnx"]
    command += ["-f", tmp_path / "huge.jpg", "-o", "3d", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project_root, check=True)
    code, megabytes = map(int, done.stdout.splitlines()[-1].split())
    assert code == 0
    assert megabytes < 4 * 309


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("none.jpg", None),
        ("text.jpg", b"this is no picture\n"),
        ("zero.jpg", b""),
        ("zero.png", b""),
        ("null.jpg", b"\x00" * 100),
    ],
)
def test_no_picture(run, tmp_path, name, content, assert_one_line):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert_one_line(run("-f", tmp_path / name, "--out", tmp_path / "o"), name)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.98])
def test_truncated_picture(run, tmp_path, face, suffix, fraction, assert_one_line):
    _, encoded = cv2.imencode(suffix, face)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(encoded.tobytes()[: int(len(encoded) * fraction)])
    assert_one_line(run("-f", path, "--out", tmp_path / "o"), path.name)


def test_folder_without_pictures(run, tmp_path, assert_one_line):
    (tmp_path / "in").mkdir()
    assert_one_line(run("-f", tmp_path / "in"), "in", "folder with pictures")


def test_output_below_a_file(run, tmp_path, assert_one_line, files):
    (tmp_path / "file").touch()
    result = run("-f", ASTRONAUT, "-o", "3d", "--out", tmp_path / "file" / "sub")
    assert_one_line(result, "file")
    assert files(tmp_path) == ["file"]


@pytest.mark.parametrize("option", OUTPUTS)
def test_full_disk(run, tmp_path, option, assert_one_line, files):
    """A limit on file sizes stops the writing midway, as a full disk does."""
    resource = pytest.importorskip("resource")
    (tmp_path / "o").mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        result = run("-f", ASTRONAUT, "-o", option, "--out", tmp_path / "o")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_one_line(result, f"astronaut_{option}", os.strerror(errno.EFBIG))
    assert files(tmp_path) == []
