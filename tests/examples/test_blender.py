"""A head goes into Blender, where there is one."""

import shutil
import subprocess

import cv2
import pytest

pytestmark = pytest.mark.skipif(not shutil.which("blender"), reason="needs Blender")


def blender(project_root, *words):
    script = project_root / "examples" / "blender_head.py"
    command = ["blender", "--background", "--python", script, "--", *words]
    return subprocess.run(map(str, command), capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_picture_of_a_head_whose_jaw_opens(project_root, tmp_path):
    head, out = project_root / "examples" / "astronaut.glb", tmp_path / "head.png"
    size = ("--size", "128")
    shut = blender(project_root, head, "--out", tmp_path / "shut.png", *size)
    done = blender(project_root, head, "--out", out, *size, "--set", "jawOpen=1")
    assert "52 blendshapes" in done.stdout and "jawOpen 1.00" in done.stdout
    assert "jawOpen 1.00" not in shut.stdout
    pictures = [cv2.imread(str(path)) for path in (out, tmp_path / "shut.png")]
    moved = cv2.absdiff(*pictures).max(axis=2) > 30
    assert moved[64:].sum() > 50 > moved[:50].sum()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.glb", "--out", "{out}"], "no.glb"),
        (["{text}", "--out", "{out}"], "text.glb"),
        (["{head}", "--out", "{out}.jpg"], "--out"),
        (["{head}", "--out", "{out}", "--set", "noseOpen=1"], "noseOpen"),
        (["{head}", "--out", "{out}", "--set", "jawOpen=wide"], "jawOpen=wide"),
    ],
)
def test_bad_input_is_named(project_root, tmp_path, words, said):
    text = tmp_path / "text.glb"
    text.write_text("no head")
    head = project_root / "examples" / "astronaut.glb"
    names = {"head": head, "out": tmp_path / "x.png", "text": text}
    done = blender(project_root, *(word.format(**names) for word in words))
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr and done.returncode == 2
    assert list(tmp_path.iterdir()) == [text]
