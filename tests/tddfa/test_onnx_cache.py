import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import onnxruntime
import pytest

from tddfa.arguments import DEFAULT_CONFIG
from tddfa.errors import InputError
from tddfa.onnx_cache import cache_folder, find_onnx


@pytest.fixture
def cache(tmp_path, monkeypatch):
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    return cache_folder()


@pytest.fixture
def checkpoint(small_config, tmp_path) -> Path:
    """Copy of the small network without an ONNX file beside it."""
    return Path(shutil.copy(str(small_config["checkpoint_fp"]), tmp_path / "net.pth"))


@pytest.fixture
def quick(monkeypatch, small_config):
    """Stand in for the conversion, which takes ten seconds, by a copy of its result."""
    made = Path(str(small_config["checkpoint_fp"])).with_suffix(".onnx")

    def run(command, **_):
        shutil.copy(made, command[command.index("--out") + 1])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)


def test_file_beside_the_checkpoint_is_taken(cache, checkpoint, small_config):
    beside = checkpoint.with_suffix(".onnx")
    shutil.copy(Path(str(small_config["checkpoint_fp"])).with_suffix(".onnx"), beside)
    assert find_onnx(checkpoint) == beside
    assert not [*cache.glob("*.*")]


def test_file_beside_the_checkpoint_that_says_nothing_is_not_taken(cache, checkpoint):
    """It may be any network: the reference's converter writes such files, for single faces."""
    beside = checkpoint.with_suffix(".onnx")
    beside.touch()
    assert find_onnx(checkpoint).parent == cache
    assert beside.stat().st_size == 0


def test_file_beside_the_checkpoint_that_is_anothers_is_refused(cache, checkpoint, project_root):
    shutil.copy(project_root / "weights/mb05_120x120.onnx", checkpoint.with_suffix(".onnx"))
    with pytest.raises(InputError, match=r"net\.onnx.*net\.pth"):
        find_onnx(checkpoint)


def test_conversion_happens_once(cache, checkpoint):
    first = find_onnx(checkpoint)
    assert first.parent == cache
    stamp = first.stat().st_mtime_ns
    assert find_onnx(checkpoint) == first
    assert first.stat().st_mtime_ns == stamp
    assert [path.name for path in cache.glob("*.*")] == [first.name]


@pytest.mark.parametrize("damage", [b"", b"text", None])
def test_damaged_file_is_made_anew(cache, checkpoint, damage, caplog, quick):
    first = find_onnx(checkpoint)
    data = first.read_bytes()
    # A single bit among the weights still gives a network that loads.
    broken = data[:-100] + bytes([data[-100] ^ 1]) + data[-99:] if damage is None else damage
    first.write_bytes(broken)
    again = find_onnx(checkpoint)
    assert "damaged" in caplog.text
    onnxruntime.InferenceSession(str(again))
    assert again.read_bytes() != broken
    assert [path.name for path in cache.glob("*.*")] == [again.name]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize("kind", ["a file in its way", "no home"])
def test_unwritable_cache(cache, checkpoint, monkeypatch, kind, tmp_path, caplog, quick):
    if kind == "no home":
        for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setattr(Path, "home", no_home)
    else:
        cache.parent.write_text("no folder")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = find_onnx(checkpoint)
    assert "cannot be written" in caplog.text
    onnxruntime.InferenceSession(str(path))


def no_home():
    raise RuntimeError("Could not determine home directory.")


CONVERT = """
import sys
from pathlib import Path
from tddfa.onnx_cache import find_onnx
print(find_onnx(Path(sys.argv[1])))
"""


def test_two_processes_at_once(cache, checkpoint, project_root):
    command = [sys.executable, "-c", CONVERT, checkpoint]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    runs = [subprocess.Popen(command, cwd=project_root, **pipes) for _ in range(2)]
    for run in runs:
        out, err = run.communicate(timeout=300)
        assert run.returncode == 0, err
        onnxruntime.InferenceSession(out.strip())
    assert find_onnx(checkpoint) in set(cache.iterdir())
    assert all(path.suffix == ".onnx" for path in cache.glob("*.*"))
    assert not [*cache.glob(".*")]


def test_checkpoint_that_is_none(cache, tmp_path):
    path = tmp_path / "x.pth"
    path.write_text("text")
    with pytest.raises(InputError, match=r"x\.pth"):
        find_onnx(path)
    assert not cache.exists() or not list(cache.iterdir())


def test_without_torch_the_error_says_what_to_install(cache, checkpoint, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install torch onnx onnxscript"):
        find_onnx(checkpoint)


SCRIPT = """
import sys
import numpy as np
from FaceBoxes.onnx_detector import FaceBoxes_ONNX
from tddfa import FaceAligner, Frame
from tddfa.make_output import make_output
from tddfa.outputs import OUTPUTS
from tddfa.io.pictures import imread
image = imread(sys.argv[2])
frame = Frame.still(image, FaceAligner(sys.argv[1]).detect(image))
frame.faces[0].visible
from pathlib import Path
for name, output in OUTPUTS.items():
    make_output(name, frame, Path(sys.argv[3]) / f"x.{name if output.write else 'png'}")
heavy = ("torch", "matplotlib", "onnx", "openvino")
print(len(frame.faces), *[name for name in heavy if name in sys.modules])
"""


def test_onnx_path_never_imports_torch(project_root, tmp_path):
    """The ONNX files ship; making them is the one thing that needs torch."""
    config = project_root / DEFAULT_CONFIG
    picture = project_root / "examples" / "inputs" / "astronaut.png"
    command = [sys.executable, "-c", SCRIPT, config, picture, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project_root, check=True)
    assert done.stdout.split() == ["1"]


def test_folder_in_the_place_of_the_cached_file(cache, checkpoint, monkeypatch, tmp_path, quick):
    first = find_onnx(checkpoint)
    first.unlink()
    (first / "x").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    onnxruntime.InferenceSession(str(find_onnx(checkpoint)))
    assert (first / "x").is_dir()
