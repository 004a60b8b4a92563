"""What an installed package must do, far from its checkout and without PyTorch.

A script of its own, for an environment that has the package and nothing else: test_package.py and
cibuildwheel call it with a picture of one face. It works in a folder that it makes.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FACES = "1 face"


def main() -> None:
    """Check it all; the first thing that is wrong ends it."""
    picture = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        for module in (
            "torch",
            "onnx",
            "onnxscript",
            "utils",
            "models",
            "bfm",
            "training",
            "tests",
        ):
            assert importlib.util.find_spec(module) is None, f"there is a module {module}"
        check_data(picture.parent.parent.parent)
        check_api(picture)
        clip = Path("clip.mp4")
        write_clip(picture, clip)
        check_commands(picture, clip)
        os.chdir(Path(name).parent)
    sys.stdout.write("the installed package works\n")


def check_data(checkout: Path) -> None:
    """Find everything within the package, not in the checkout."""
    import tddfa
    from tddfa import load_config
    from tddfa.assets import find_asset, project_root

    for path in (Path(tddfa.__file__), project_root()):
        assert not path.is_relative_to(checkout / "tddfa"), path
    for name in ("mb1_120x120", "mb05_120x120"):
        config = load_config(f"configs/{name}.yml")
        for key in ("checkpoint_fp", "bfm_fp", "param_mean_std_fp"):
            assert config.find(key).is_relative_to(project_root()), key
        assert find_asset(f"weights/{name}.onnx").is_file()


def check_api(picture: Path) -> None:
    """Align a face; what needs PyTorch says what to install."""
    from tddfa import TDDFA, FaceAligner, InputError, load_config
    from tddfa.arguments import DEFAULT_CONFIG

    (face,) = FaceAligner().detect(picture)
    assert face.landmarks.shape == (3, 68) and abs(face.pose.yaw) < 10
    assert face.visible[17:].all()  # all but the jaw, whose corners may slip behind the cheeks
    assert face.vertices.shape[0] == 3
    try:
        TDDFA(**vars(load_config(DEFAULT_CONFIG)))
    except InputError as error:
        assert "pip install torch" in str(error), error
    else:
        raise AssertionError("TDDFA without PyTorch")


def write_clip(picture: Path, path: Path, frames: int = 8) -> None:
    """Write a short video of the picture, shifted from frame to frame."""
    import av
    import numpy as np

    from tddfa.io.pictures import imread

    img = imread(picture)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *img.shape[:2], "yuv420p"
        for number in range(frames):
            shifted = np.ascontiguousarray(np.roll(img, 2 * number, 1))
            output.mux(stream.encode(av.VideoFrame.from_ndarray(shifted, format="bgr24")))
        output.mux(stream.encode(None))


def check_commands(picture: Path, clip: Path) -> None:
    """Call the command as a user does; results go to the working directory."""
    program = Path(sys.executable).with_name("tddfa")  # .exe is added where it must be
    assert run(program, "--version").startswith("tddfa ")
    assert run(program, "--version") == run(sys.executable, "-m", "tddfa", "--version")
    assert FACES in run(program, "image", "-f", picture, "-o", "3d", "obj", "--show_flag", "false")
    assert FACES in run(program, "video", "-f", clip, "--smooth", "mean")
    run(program, "webcam", "--source", clip, "--headless", "--frames", "3")
    made = {path.name for path in Path().iterdir()}
    expected = {f"{picture.stem}_3d.jpg", f"{picture.stem}_obj.obj", "clip_2d_sparse_smooth.mp4"}
    assert expected <= made, made
    lines = run(program, "image", "-f", picture, "--torch", code=2).splitlines()
    # Before them, older OpenCV repeats what its libpng thinks of the picture.
    assert lines[-1].startswith("error: ") and "pip install torch" in lines[-1], lines
    assert "Traceback" not in "".join(lines), lines


def run(*command: str | Path, code: int = 0) -> str:
    """Run a process and return what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


if __name__ == "__main__":
    main()
