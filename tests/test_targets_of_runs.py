"""No command ever overwrites what it reads: every kind of output against every kind of input."""

import hashlib
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tddfa.cli import run_main
from tddfa.commands import image, video, webcam
from tddfa.export_onnx import main as export_onnx
from tddfa.fit import main as fit
from tddfa.import_reference import import_reference
from tddfa.reference_files import ReferenceFile, download

CONFIG = """
checkpoint_fp: net.pth
bfm_fp: model.npz
param_mean_std_fp: scale.npz
detector_fp: detector.pth
"""


@pytest.fixture
def folder(tmp_path, project_root, make_video, monkeypatch):
    """Inputs of every kind, in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(project_root / "examples" / "inputs" / "astronaut.png", "head.png")
    make_video(Path("clip.mp4"), [np.full((32, 32, 3), 9 * k, np.uint8) for k in range(3)])
    Path("config.yml").write_text(CONFIG)
    for name in ("net.pth", "net.onnx", "model.npz", "scale.npz", "detector.pth"):
        Path(name).write_bytes(name.encode())
    return tmp_path


@pytest.fixture
def refused(folder, monkeypatch, capsys, assert_one_line):
    """Run a command that must end before any work, with every file as it was."""

    def no_work(*_, **__):
        raise AssertionError("work was begun")

    monkeypatch.setattr(image, "build_pipeline", no_work)
    for module in (video, webcam):
        monkeypatch.setattr(module, "build_tracking_pipeline", no_work)
    monkeypatch.setattr("tddfa.io.pictures.imread", no_work)
    monkeypatch.setattr(video, "run_job", no_work)

    def check(main, arguments, *words):
        before = contents(folder)
        code = run_main(lambda: main(arguments.split()))
        assert_one_line((code, *capsys.readouterr()), *words)
        assert contents(folder) == before

    return check


def contents(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def demo_video(arguments):
    return video.run_video(video.video_parser("", "", smooth="none").parse_args(arguments))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("-o obj --texture --out head.obj", ["texture 'head.png'", "picture 'head.png'"]),
        ("-o 3d --out head.png", ["output 3d 'head.png'", "picture 'head.png'"]),
        ("-o 3d --json head.png", ["--json 'head.png'", "picture 'head.png'"]),
        ("-c config.yml --json config.yml", ["--json 'config.yml'", "configuration"]),
        ("-c config.yml --json net.pth", ["--json", "checkpoint_fp", "net.pth"]),
        ("-c config.yml --json net.onnx", ["--json", "network", "net.onnx"]),
        ("-c config.yml --json model.npz", ["--json", "bfm_fp", "model.npz"]),
        ("-c config.yml --json scale.npz", ["--json", "param_mean_std_fp"]),
        ("-c config.yml --json detector.pth", ["--json", "detector_fp"]),
    ],
)
def test_pictures(refused, arguments, words):
    refused(image.main, f"-f head.png --onnx {arguments}", *words)


@pytest.mark.parametrize("kind", ["symlink", "hard link", "folder"])
def test_pictures_by_links(refused, folder, kind):
    target = Path("out/head_pose.jpg")
    target.parent.mkdir()
    if kind == "symlink":
        target.symlink_to("../head.png")
    elif kind == "hard link":
        os.link("head.png", target)
    else:
        shutil.rmtree("out")
        Path("pictures").mkdir()
        Path("head.png").rename("pictures/head.png")
        shutil.copy("pictures/head.png", "pictures/head_pose.jpg")
        Path("out").symlink_to("pictures")
    source = "pictures" if kind == "folder" else "head.png"
    refused(image.main, f"-f {source} -o pose --out out", "head_pose.jpg")


def test_derived_output_of_another_picture_in_the_folder(refused, folder):
    Path("in").mkdir()
    for name in ("a.png", "a_obj.png"):
        shutil.copy("head.png", Path("in") / name)
    refused(image.main, "-f in -o obj --texture --out in", "texture 'in/a_obj.png'", "picture")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("-o 3d --out new.png --json new.png", ["output 3d 'new.png'", "--json"]),
        ("-o obj --texture --out new.obj --json new.mtl", ["material", "--json", "new.mtl"]),
        ("-o obj --texture --out new.obj --json ./new.png", ["texture", "--json", "new.png"]),
        ("-o pose --out new --json new/head_pose.jpg", ["pose", "--json", "head_pose.jpg"]),
        ("--json .", ["--json", "folder"]),
    ],
)
def test_outputs_collide(refused, arguments, words):
    refused(image.main, f"-f head.png {arguments}", *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--out clip.mp4", ["--out 'clip.mp4'", "video 'clip.mp4'"]),
        ("--out hard.mp4", ["--out 'hard.mp4'", "video 'clip.mp4'"]),
        ("--save_params clip.csv", ["--save_params 'clip.csv'", "video 'clip.mp4'"]),
        ("-c config.yml --save_params model.npz", ["--save_params", "bfm_fp"]),
        ("--out new.mp4 --save_params new.csv", ["--save_params 'new.csv'", "--out"]),
    ],
)
def test_videos(refused, folder, arguments, words):
    os.link("clip.mp4", "hard.mp4")
    Path("clip.csv").symlink_to("clip.mp4")
    Path("new.csv").symlink_to("new.mp4")  # which does not exist
    refused(demo_video, f"-f clip.mp4 {arguments}", *words)


def test_webcam(refused, folder):
    refused(webcam.main, "--source clip.mp4 --headless --out clip.mp4", "--out 'clip.mp4'")


def test_export(refused, folder):
    os.link("net.pth", "link.onnx")
    refused(export_onnx, "net.pth --out link.onnx", "link.onnx", "checkpoint")
    refused(export_onnx, f"{folder / 'net.onnx'}", "net.onnx", "checkpoint")


def test_fit(refused, folder):
    np.save("points.npy", np.zeros((1, 68, 2)))
    os.link("points.npy", "link.npz")
    refused(fit, "points.npy link.npz", "link.npz", "points")
    refused(fit, "points.npy ./model.npz -m model.npz", "model.npz", "face model")


def test_import_keeps_a_folder_with_the_name_of_a_working_folder(tmp_path, monkeypatch):
    source = tmp_path / ".out.partial"
    source.mkdir()
    (source / "tri.pkl").write_bytes(b"mine")
    monkeypatch.setattr("tddfa.import_reference.find_files", lambda *_, **__: {})
    monkeypatch.setattr("tddfa.import_reference._convert", lambda files, out: None)
    import_reference(source, tmp_path / "out")
    assert (source / "tri.pkl").read_bytes() == b"mine"


def test_download_overwrites_no_file_of_the_user(tmp_path, monkeypatch):
    hello = ReferenceFile("weights/net.pth", "ce013625030ba8dba906f756967f9e9ca394464a")
    monkeypatch.setattr("tddfa.reference_files.ALL_FILES", (hello,))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "net.pth").write_bytes(b"trained for a week")
    with pytest.raises(Exception, match=r"net\.pth.*move it away"):
        download(tmp_path, "http://127.0.0.1:9")
    assert (tmp_path / "weights" / "net.pth").read_bytes() == b"trained for a week"


def test_other_files_may_be_overwritten(folder, pipeline, monkeypatch):
    """A second run replaces what the first one made."""
    monkeypatch.setattr(image, "build_pipeline", lambda args: pipeline)
    arguments = "-f head.png -o obj pose --texture --out out --json out/faces.json"
    for _ in range(2):
        assert image.main([*arguments.split(), "--show_flag", "false"]) == 0
    assert cv2.imread("out/head_pose.jpg").shape == (512, 512, 3)


def test_names_that_differ_little(folder, pipeline, monkeypatch):
    """Spaces become underscores in the files of a textured OBJ; case may not count."""
    monkeypatch.setattr(image, "build_pipeline", lambda args: pipeline)
    for name in ("a b.png", "a_b.png", "A b.png"):
        shutil.copy("head.png", name)
    arguments = ["-f", "a b.png", "a_b.png", "A b.png", "-o", "obj", "--texture", "--out", "out"]
    assert image.main(arguments) == 0
    names = {path.name.casefold().replace(" ", "_") for path in Path("out").iterdir()}
    assert len(names) == 9
