"""``demo.py`` on many pictures and outputs: side by side, and when some fail."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tddfa.commands import image as demo
from tddfa.errors import InputError

ASTRONAUT = Path("examples/inputs/astronaut.png")


def test_several_pictures_and_a_bad_one(run, tmp_path, project_root, files):
    (tmp_path / "in").mkdir()
    good = (project_root / ASTRONAUT).read_bytes()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).write_bytes(good)
    (tmp_path / "in" / "bad.jpg").write_text("text")
    (tmp_path / "in" / "notes.txt").write_text("no picture by its name")
    report = tmp_path / "r.json"
    code, out, err = run(
        "-f", tmp_path / "in", "-o", "pose", "--out", tmp_path / "o", "--json", report
    )
    assert code == 1
    assert "bad.jpg" in err and "1 of 3 pictures failed" in err
    assert files(tmp_path / "o") == ["a_pose.jpg", "b_pose.jpg"]
    assert len(json.loads(report.read_text())["pictures"]) == 2
    assert out.count("1 face") == 2


def test_pictures_of_one_stem_do_not_overwrite_each_other(run, tmp_path, face, files):
    for name in ("a.png", "a.bmp"):
        cv2.imwrite(str(tmp_path / name), face)
    paths = tmp_path / "a.png", tmp_path / "a.bmp", tmp_path / "a.png"
    assert run("-f", *paths, "-o", "pose", "--out", tmp_path / "o")[0] == 0
    assert files(tmp_path / "o") == ["a_bmp_pose.jpg", "a_png-2_pose.jpg", "a_png_pose.jpg"]


def test_pictures_side_by_side_give_what_one_after_the_other_gives(run, tmp_path, face, files):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(9):
        picture = np.roll(face, 15 * number, axis=1)
        cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(picture, (256 + number, 256)))
    (folder / "4b.png").write_bytes(b"no picture")
    cv2.imwrite(str(folder / "6b.png"), np.full((50, 60, 3), 90, np.uint8))
    found = []
    for threads in (1, 3):
        out, report = tmp_path / f"out{threads}", tmp_path / f"{threads}.json"
        words = ("-f", folder, "-o", "3d", "ply", "--ply_format", "binary", "--json", report)
        code, text, err = run(*words, "--out", out, "--threads", threads)
        assert code == 1 and err.count("\n") == 2 and "1 of 11 pictures failed" in err
        *lines, rate = text.replace(str(out), "").splitlines()
        assert rate.startswith("10 pictures, ") and rate.endswith(" pictures/s")
        contents = {name: (out / name).read_bytes() for name in files(out)}
        records = json.loads(report.read_text().replace(str(out), ""))
        found.append((lines, contents, records))
    assert found[0] == found[1]
    assert len(found[0][1]) == 18


@pytest.mark.parametrize("threads", [1, 2])
def test_a_picture_that_fails_midway_tells_what_was_made(run, tmp_path, face, threads, monkeypatch):
    """Its first output is there and told; the second one cannot be written."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in "abc":
        cv2.imwrite(str(folder / f"{name}.png"), face)
    write = demo.make_output

    def failing(option, frame, target, settings):
        if target.name == "b_pose.jpg":
            raise InputError(f"'{target}': disk full")
        return write(option, frame, target, settings)

    monkeypatch.setattr(demo, "make_output", failing)
    code, text, err = run(
        "-f", folder, "-o", "2d_sparse", "pose", "--out", out, "--threads", threads
    )
    assert code == 1 and "b_pose.jpg" in err and "1 of 3 pictures failed" in err
    told = [Path(line.split(" -> ")[1]).name for line in text.splitlines() if " -> " in line]
    made = [f"{name}_{option}.jpg" for name in "abc" for option in ("2d_sparse", "pose")]
    made.remove("b_pose.jpg")
    assert told == made


def test_outputs_side_by_side_are_those_made_one_after_the_other(run, tmp_path, files):
    options = ("2d_sparse", "3d", "uv_tex", "ply", "depth")
    found = []
    for threads in (1, 3):
        out = tmp_path / str(threads)
        words = ("-f", ASTRONAUT, "-o", *options, "--out", out, "--show_flag", "false")
        code, text, err = run(*words, "--threads", threads)
        assert (code, err) == (0, "")
        contents = {name: (out / name).read_bytes() for name in files(out)}
        found.append((text.replace(str(out), ""), contents))
    assert found[0] == found[1]
    assert len(found[0][1]) == len(options)


def test_of_outputs_side_by_side_one_fails(run, tmp_path, monkeypatch, files):
    write = demo.make_output

    def failing(option, frame, target, settings):
        if option == "pose":
            raise InputError(f"'{target}': disk full")
        return write(option, frame, target, settings)

    monkeypatch.setattr("tddfa.make_output.make_output", failing)
    words = ("-f", ASTRONAUT, "-o", "2d_sparse", "pose", "--show_flag", "false")
    code, text, err = run(*words, "--out", tmp_path, "--threads", 2)
    assert code == 2 and "disk full" in err and err.count("\n") == 1
    told = {Path(line.split(" -> ")[1]).name for line in text.splitlines() if " -> " in line}
    assert told == set(files(tmp_path)) <= {"astronaut_2d_sparse.jpg"}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_interrupted_among_many(project_root, tmp_path, face):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(300):
        cv2.imwrite(str(folder / f"{number}.jpg"), face)
    words = [
        "demo.py",
        "-f",
        str(folder),
        "-o",
        "3d",
        "--onnx",
        "--threads",
        "2",
        "--out",
        str(out),
    ]
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=project_root,
        stderr=subprocess.PIPE,
        text=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(out.glob("*.jpg")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err.strip().endswith("interrupted")
    assert 0 < len(list(out.iterdir())) < 300
    assert all(cv2.imread(str(path)) is not None for path in out.iterdir())
