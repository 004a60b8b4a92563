"""``demo.py`` as a user calls it: outputs, reports, and every kind of bad input."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from tddfa.cli import run_main
from tddfa.commands import image as demo
from tddfa.errors import InputError
from tddfa.io.results import MARKS
from tddfa.outputs import OUTPUTS

ASTRONAUT = Path("examples/inputs/astronaut.png")


@pytest.fixture
def run(monkeypatch, pipeline, project_root, capsys):
    """Run ``demo.py`` in this process, with networks that are loaded already.

    Returns exit code, stdout and stderr.
    """
    monkeypatch.chdir(project_root)

    def call(*arguments):
        monkeypatch.setattr(demo, "build_pipeline", lambda args: pipeline)
        code = run_main(lambda: demo.main([str(a) for a in arguments]))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


@pytest.fixture
def face(project_root):
    return cv2.imread(str(project_root / ASTRONAUT))


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_all_outputs_in_one_run(run, tmp_path):
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
def test_named_file(run, tmp_path, option, name):
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
def test_named_file_that_does_not_fit(run, tmp_path, options, name, words, assert_one_line):
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


def test_textured_obj(run, tmp_path):
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


def test_frontal_needs_a_mesh(run, tmp_path, assert_one_line):
    result = run("-f", ASTRONAUT, "-o", "3d", "--frontal", "--out", tmp_path / "a.png")
    assert_one_line(result, "--frontal", "ply", "obj", "3d")
    assert files(tmp_path) == []


DRAWINGS = ["2d_sparse", "2d_dense", "3d", "depth", "pncc", "pose"]


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


def test_url(run, assert_one_line):
    assert_one_line(run("-f", "https://example.org//a.jpg"), "https://example.org//a.jpg")


def test_several_pictures_and_a_bad_one(run, tmp_path, project_root):
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


def test_pictures_of_one_stem_do_not_overwrite_each_other(run, tmp_path, face):
    for name in ("a.png", "a.bmp"):
        cv2.imwrite(str(tmp_path / name), face)
    paths = tmp_path / "a.png", tmp_path / "a.bmp", tmp_path / "a.png"
    assert run("-f", *paths, "-o", "pose", "--out", tmp_path / "o")[0] == 0
    assert files(tmp_path / "o") == ["a_bmp_pose.jpg", "a_png-2_pose.jpg", "a_png_pose.jpg"]


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


# --- no face ---------------------------------------------------------------------------------


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


# --- bad input -------------------------------------------------------------------------------


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


def test_output_below_a_file(run, tmp_path, assert_one_line):
    (tmp_path / "file").touch()
    result = run("-f", ASTRONAUT, "-o", "3d", "--out", tmp_path / "file" / "sub")
    assert_one_line(result, "file")
    assert files(tmp_path) == ["file"]


@pytest.mark.parametrize("option", OUTPUTS)
def test_full_disk(run, tmp_path, option, assert_one_line):
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


def test_as_a_process(project_root, tmp_path):
    """The README's command, with a picture shown although there is no screen."""
    command = [sys.executable, "demo.py", "--onnx"]
    command += ["-f", ASTRONAUT, "-o", "3d", "--show_flag", "true", "--out", tmp_path / "x.png"]
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=project_root, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "1 face" in done.stdout
    assert done.stderr.count("\n") == 1 and f"wrote {tmp_path / 'x.png'} (not" in done.stderr
    assert cv2.imread(str(tmp_path / "x.png")).shape == (512, 512, 3)


def test_default_picture_from_another_folder(project_root, tmp_path):
    command = [sys.executable, project_root / "demo.py", "--onnx", "--show_flag", "false"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{project_root / ASTRONAUT}: 1 face" in done.stdout
    assert "-> astronaut_2d_sparse.jpg" in done.stdout
    assert files(tmp_path) == ["astronaut_2d_sparse.jpg"]


def test_help_says_where_things_are(project_root, tmp_path, monkeypatch, capsys):
    for folder, picture, place in (
        (project_root, str(ASTRONAUT), "examples/results"),
        (tmp_path, str(project_root / ASTRONAUT), "the current folder"),
    ):
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit):
            demo.main(["--help"])
        told = "".join(capsys.readouterr().out.split())
        assert f"(default:{picture})" in told
        assert f"(default:{place})".replace(" ", "") in told


def test_installed_there_is_no_default_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tddfa.commands.image_arguments.project_root", lambda: tmp_path)
    with pytest.raises(SystemExit):
        demo.main([])
    assert "-f/--img_fp" in capsys.readouterr().err


def test_pictures_side_by_side_give_what_one_after_the_other_gives(run, tmp_path, face):
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


def test_outputs_side_by_side_are_those_made_one_after_the_other(run, tmp_path):
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


def test_of_outputs_side_by_side_one_fails(run, tmp_path, monkeypatch):
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
