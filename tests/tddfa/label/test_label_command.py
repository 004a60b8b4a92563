"""``tddfa label`` as users run it: once, again, killed, on bad input."""

import collections
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tddfa.cli import run_main
from tddfa.commands import label
from tddfa.label.plan import MANIFEST

CONFIG = ("-c", "configs/mb05_120x120.yml")


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = run_main(lambda: label.main([*map(str, arguments), *CONFIG]))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


def read(folder):
    import pyarrow.parquet as pq

    return pq.ParquetDataset(sorted(folder.glob("part-*.parquet"))).read().to_pylist()


def test_all_kinds(run, inputs, tmp_path):
    out = tmp_path / "out"
    code, text, _ = run(inputs, "--out", out, "--workers", 2, "--every", 3)
    assert code == 0
    assert "11 pictures, 10 faces, 2 inputs that could not be read" in text
    manifest = json.loads((out / MANIFEST).read_bytes())
    assert manifest["totals"] == {"pictures": 11, "faces": 10, "errors": 2}
    assert len(read(out)) == 13
    before = {path: path.stat().st_mtime_ns for path in out.glob("part-*")}
    assert run(inputs, "--out", out, "--workers", 2, "--every", 3)[0] == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("part-*")} == before


def test_a_store(run, inputs, tmp_path):
    out = tmp_path / "out"
    (inputs / "clip.mp4").unlink()
    code, text, _ = run(inputs.as_uri(), "--out", out.as_uri(), "--workers", 1)
    assert code == 0 and "8 pictures, 7 faces, 2 inputs that could not be read" in text
    rows = read(out)
    assert {row["path"] for row in rows} == {
        f"{inputs.as_uri()}/{path.name}" for path in inputs.iterdir()
    }
    code, text, _ = run(inputs.as_uri(), "--out", out.as_uri(), "--workers", 1)
    assert code == 0 and "parts are done, going on" in text


@pytest.mark.parametrize("convention", ["ffhq", "eg3d"])
def test_crops(run, inputs, tmp_path, convention):
    from tddfa.io.pictures import imread

    out = tmp_path / "out"
    arguments = (inputs / "0.png", inputs / "empty.png", inputs / "1.png", "--out", out)
    assert run(*arguments, "--crops", convention, "--crop_size", 128, "--workers", 1)[0] == 0
    rows = [row for row in read(out) if row["crop"]]
    assert len({row["crop"] for row in rows}) == 2
    for row in rows:
        assert imread(out / "crops" / row["crop"]).shape == (128, 128, 3)
    labels = out / "crops" / "dataset.json"
    assert labels.exists() == (convention == "eg3d")
    if labels.exists():
        entries = json.loads(labels.read_bytes())["labels"]
        assert [name for name, _ in entries] == [row["crop"] for row in rows]
        assert all(len(camera) == 25 for _, camera in entries)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing.png", "--out", "x"), "expected a file, folder, pattern or list"),
        (("{in}/0.png", "--out", "{in}/0.png"), "expected a folder, found a file"),
        (("{in}/0.png", "--out", "x", "--crop_size", "64"), "expected --crops as well"),
        (("{in}/0.png", "--out", "x", "--crops", "ffhq", "--crop_size", "9"), "16 to 4096"),
        (("{in}/0.png", "--out", "x", "-c", "no.yml"), "no.yml"),
    ],
)
def test_bad_input(run, inputs, tmp_path, monkeypatch, arguments, message):
    monkeypatch.setattr(sys.modules[__name__], "CONFIG", () if "-c" in arguments else CONFIG)
    words = [word.replace("{in}", str(inputs)) for word in arguments]
    words = [str(tmp_path / "x") if word == "x" else word for word in words]
    code, _, err = run(*words)
    assert code == 2 and message in err and err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_without_pyarrow(run, inputs, tmp_path, monkeypatch):
    monkeypatch.setattr("tddfa.optional.find_spec", lambda name: None)
    code, _, err = run(inputs, "--out", tmp_path / "x")
    assert code == 2 and "pip install pyarrow" in err


def start(inputs, out, project_root):
    words = [sys.executable, "-m", "tddfa", "label", str(inputs), "--out", str(out), *CONFIG]
    return subprocess.Popen(
        [*words, "--shard_size", "3", "--workers", "2"],
        cwd=project_root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_at_any_moment(tmp_path, portrait, project_root):
    import cv2

    pytest.importorskip("pyarrow")
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    small = cv2.resize(portrait, (64, 64))
    for number in range(120):
        name = folder / f"{number:03d}.png"
        if number % 40 == 7:
            name.write_bytes(b"damaged")
        else:
            cv2.imwrite(str(name), small)
    for kill in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        process = start(folder, out, project_root)
        done = len(list(out.glob("part-*")))
        deadline = time.monotonic() + 60
        while len(list(out.glob("part-*"))) < done + 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        if kill == signal.SIGKILL:
            os.killpg(process.pid, kill)
        else:
            process.send_signal(kill)
        output = process.communicate(timeout=60)
        if kill == signal.SIGTERM:
            assert process.returncode == 130, output
    process = start(folder, out, project_root)
    output = process.communicate(timeout=300)
    assert process.returncode == 0, output
    paths = collections.Counter(row["path"] for row in read(out))
    assert len(paths) == 120 and set(paths.values()) == {1}
    assert sum(row["error"] is not None for row in read(out)) == 3
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []
