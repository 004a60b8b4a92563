"""Fixtures for the reference material that lies beside the checkout, where it is present."""

import os
import re
import signal
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tddfa import Config, load_config
from tddfa.arguments import DEFAULT_CONFIG
from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
# Set by .ci/run where the material must be there: then its absence fails what it would skip.
REQUIRE_SHARED = "TDDFA_REQUIRE_SHARED"
# The package does without these; where one is absent, so do the tests. build.sh installs them all.
OPTIONAL = ("torch", "onnx", "onnxscript", "matplotlib", "skimage", "trimesh")
ABSENT = tuple(name for name in OPTIONAL if find_spec(name) is None)


def pytest_configure() -> None:
    """Take Ctrl-C where a shell started the tests in the background, and has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what imports an absent package, or a module that does, at its top."""
    if "torch" in ABSENT and collection_path == ROOT / "tests" / "training":
        return True
    if not ABSENT or collection_path.suffix != ".py" or collection_path == Path(__file__):
        return None
    imported = re.findall(r"^(?:import|from) ([\w.]+)", collection_path.read_text("utf-8"), re.M)
    try:
        for name in imported:
            find_spec(name)  # imports the packages it is in
            if name.startswith(("FaceBoxes.", "tddfa.", "training.")) or name in ABSENT:
                __import__(name)
    except ModuleNotFoundError as error:
        return True if error.name in ABSENT else None
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """Skip a test whose fixtures need an absent package."""
    with skip_absent():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Skip a test that needs an absent package."""
    with skip_absent():
        return (yield)


@contextmanager
def skip_absent() -> Generator[None]:
    """Skip where an absent package is imported or asked for."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name in ABSENT:
            pytest.skip(f"package {error.name} is absent")
        raise
    except InputError as error:
        if any(f"pip install {name}" in str(error) for name in ABSENT):
            pytest.skip(str(error))
        raise


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with golden arrays and the reference's assets; skips the test where it is absent."""
    if not (SHARED / "golden").is_dir():
        reason = "reference material ../shared is absent"
        if os.environ.get(REQUIRE_SHARED):
            pytest.fail(f"{reason}, but {REQUIRE_SHARED} says that these tests must run")
        pytest.skip(reason)
    return SHARED


@pytest.fixture(scope="session")
def assert_one_line() -> Callable[..., None]:
    """Check (exit code, stdout, stderr): exit code 2 and one line that names the culprit."""

    def check(result: tuple[int, str, str], *words: str) -> None:
        code, _, err = result
        assert code == 2
        assert err.startswith("error: ") and err.count("\n") == 1, err
        for word in words:
            assert word in err

    return check


@pytest.fixture(scope="session")
def golden(shared: Path) -> Path:
    return shared / "golden"


@pytest.fixture(scope="session")
def upstream(shared: Path) -> Path:
    """Asset folder in the reference's layout: configs/, weights/, images/."""
    return shared / "upstream"


@pytest.fixture(scope="session")
def pipeline(project_root: Path) -> FaceAligner:
    """Detector and aligner of the default configuration, on ONNX Runtime."""
    return FaceAligner(project_root / DEFAULT_CONFIG)


@pytest.fixture(scope="session")
def reference_config(project_root: Path, upstream: Path) -> Config:
    """Configuration of the reference's x0.5 weights."""
    return load_config(project_root / "configs" / "reference_mb05.yml", upstream)


@pytest.fixture(scope="session")
def reference_pipeline(reference_config: Config) -> FaceAligner:
    """Detector and aligner of the reference's weights, on ONNX Runtime."""
    return FaceAligner(reference_config)


@pytest.fixture
def make_video() -> Callable[..., Path]:
    """Return a function that writes BGR frames as a video file."""

    def write(
        path: Path,
        frames: Iterable[np.ndarray],
        *,
        pts: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1, 25),
        rate: int = 25,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        source_format: str = "bgr24",
        sound: str | None = None,
        movflags: str = "+faststart",
        options: dict[str, str] | None = None,
        aspect: Fraction | None = None,
    ) -> Path:
        import av

        flagged = movflags and path.suffix in (".mp4", ".mov")
        container_options = {"movflags": movflags} if flagged else {}
        with av.open(str(path), "w", options=container_options) as output:
            stream, voice, count = None, None, 0
            for number, frame in enumerate(frames):
                if stream is None:
                    stream = output.add_stream(codec, rate=rate, options=options or {})
                    stream.height, stream.width = frame.shape[:2]
                    stream.pix_fmt = pix_fmt
                    stream.codec_context.time_base = time_base
                    if aspect is not None:
                        stream.codec_context.sample_aspect_ratio = aspect
                    if sound:
                        voice = output.add_stream(sound, rate=16000, layout="mono")
                picture = av.VideoFrame.from_ndarray(frame, format=source_format)
                picture.pts = number if pts is None else pts[number]
                picture.time_base = time_base
                output.mux(stream.encode(picture))
                count = number + 1
            if voice is not None:
                length = round(16000 * count * float(time_base))
                tone = (8000 * np.sin(np.arange(length) / 8)).astype(np.int16)
                for start in range(0, length, 1024):
                    piece = av.AudioFrame.from_ndarray(
                        tone[None, start : start + 1024], format="s16", layout="mono"
                    )
                    piece.sample_rate, piece.pts = 16000, start
                    piece.time_base = Fraction(1, 16000)
                    output.mux(voice.encode(piece))
                output.mux(voice.encode(None))
            assert stream is not None
            output.mux(stream.encode(None))
        return path

    return write
