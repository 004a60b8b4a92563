"""``demo_webcam.py`` with files as cameras, without and with a (virtual) screen."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from fractions import Fraction

import cv2
import numpy as np
import pytest

from tddfa.cli import run_main
from tddfa.commands import webcam as demo_webcam
from tddfa.outputs import output_names
from tddfa.video.camera import NewestFrame
from tddfa.video.display import check_display
from tddfa.video.live_view import LiveStatistics, LiveView
from tddfa.video.reader import VideoReader


@pytest.fixture
def astronaut(project_root):
    image = cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))
    return cv2.resize(image[:360, :480], (240, 180), interpolation=cv2.INTER_AREA)


@pytest.fixture
def clip(astronaut, make_video, tmp_path):
    frames = [np.roll(astronaut, number % 40, axis=1) for number in range(40)]
    return make_video(tmp_path / "camera.mp4", frames)


@pytest.fixture
def run(monkeypatch, pipeline, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_webcam, "build_tracking_pipeline", lambda args: pipeline)

    def call(*arguments):
        code = run_main(lambda: demo_webcam.main([str(a) for a in arguments]))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


class Frames:
    """A camera that has all its frames at once, or stops in the middle."""

    def __init__(self, images, pause=0.0, hang=False):
        self.images, self.pause, self.hang, self.closed = list(images), pause, hang, False

    def read(self):
        time.sleep(self.pause)
        return self.images.pop(0) if self.images else None

    def ended(self):
        return not self.images and not self.hang

    def close(self):
        self.closed = True


@pytest.mark.parametrize("option", ["2d_sparse", "3d"])
@pytest.mark.parametrize("smooth", [[], ["--smooth", "none"], ["-n_pre", 1, "-n_next", 2]])
def test_headless_ends_after_so_many_frames(run, clip, option, smooth):
    code, out, _ = run("--source", clip, "--headless", "--frames", 6, "-o", option, *smooth)
    assert code == 0 and "6 frames" in out


def test_headless_ends_with_the_file(run, astronaut, make_video, tmp_path):
    code, out, _ = run("--source", make_video(tmp_path / "a.mp4", [astronaut] * 3), "--headless")
    assert code == 0 and "frames" in out


def test_no_face_is_no_reason_to_stop(run, make_video, tmp_path):
    black = make_video(tmp_path / "a.mp4", [np.zeros((90, 120, 3), np.uint8)] * 20)
    code, out, _ = run("--source", black, "--headless", "--frames", 5)
    assert code == 0 and "5 frames, 0 with a face" in out


def test_recording(run, clip, tmp_path):
    code, *_ = run("--source", clip, "--headless", "--frames", 8, "--record", "--out", "made")
    assert code == 0
    (path,) = (tmp_path / "made").iterdir()
    with VideoReader(path) as reader:
        times = [picture.time for picture in reader]
    assert len(times) == 8 and times == sorted(set(times))


@pytest.mark.parametrize(
    ("source", "words"),
    [("93", "no such camera"), ("/dev/video93", "no such camera"), ("no.mp4", "no such file")],
)
def test_no_camera(run, source, words):
    code, _, err = run("--source", source, "--headless")
    assert code == 2 and words in err
    assert err.startswith("error: ") and err.count("\n") == 1


def test_request_to_end_is_answered_like_ctrl_c(run, monkeypatch):
    monkeypatch.setattr(demo_webcam, "open_source", lambda _: signal.raise_signal(signal.SIGTERM))
    code, _, err = run("--source", "0", "--headless")
    assert code == 130 and err == "interrupted\n"


def test_camera_whose_pixels_are_not_square(run, make_video, astronaut, tmp_path):
    """The picture is shown, and recorded, as wide as it is meant."""
    narrow = cv2.resize(astronaut, (120, 180), interpolation=cv2.INTER_AREA)
    source = make_video(tmp_path / "a.mp4", [narrow] * 30, aspect=Fraction(2))
    code, out, _ = run("--source", source, "--headless", "--frames", 8, "--record", "--out", "made")
    assert code == 0 and "0 with a face" not in out
    (path,) = (tmp_path / "made").iterdir()
    with VideoReader(path) as reader:
        picture = next(iter(reader))
    assert picture.image.shape == (180, 240, 3) and picture.stored is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 is Linux's")
@pytest.mark.parametrize("display", [None, ":93", "nonsense", "localhost:93.0"])
def test_no_display(run, clip, monkeypatch, display):
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    code, _, err = run("--source", clip)
    assert code == 2 and "--headless" in err
    assert err.startswith("error: no display") and err.count("\n") == 1


def test_newest_frame_comes_first():
    images = [np.full((2, 2, 3), number, np.uint8) for number in range(50)]
    with NewestFrame(Frames(images, pause=0.005)) as camera:
        first = camera.after(-1, timeout=2)
        time.sleep(0.1)
        second = camera.after(first.index, timeout=2)
        assert second.index > first.index + 3, "frames have queued up"
        assert second.image[0, 0, 0] == second.index
        assert camera.after(10**6, timeout=0.01) is None


def test_source_is_closed_and_the_end_is_told():
    source = Frames([np.zeros((2, 2, 3), np.uint8)])
    with NewestFrame(source) as camera:
        assert camera.after(-1, timeout=2) is not None
        assert camera.after(0, timeout=5) is None
        assert camera.ended()
    assert source.closed


class NoTracker:
    """Finds nobody."""

    cut = False

    def __call__(self, image):
        return []


def view(camera, folder, **options):
    return LiveView(camera, NoTracker(), iter, folder=folder, **options)


def test_keys(tmp_path, monkeypatch):
    monkeypatch.setattr("tddfa.video.live_view.FrameDrawer", lambda *_: lambda frame: frame.image)
    image = np.zeros((16, 32, 3), np.uint8)
    image[:, :16] = 255
    shown, wanted = [], iter(["", "s", "r", "", "", "r", "o", " ", "", " ", "x", "q"])

    def show(picture):
        shown.append(picture)
        return next(wanted)

    with NewestFrame(Frames([image] * 400, pause=0.01, hang=True)) as camera:
        live = view(camera, tmp_path)
        live.run(show)
    assert live.done and not live.paused
    assert live.option == output_names(video=True)[1]
    kinds = sorted(path.suffix for path in tmp_path.iterdir())
    assert kinds == [".mp4", ".png"]
    saved = cv2.imread(str(next(tmp_path.glob("*.png"))))
    assert saved[8, 24].tolist() == [255] * 3, "the preview is a mirror"
    assert saved[8, 8].tolist() == [0] * 3


def test_window_lives_on_when_no_frame_comes(tmp_path):
    shown = []

    def show(picture):
        shown.append(picture)
        return "q"

    with NewestFrame(Frames([], pause=0.01, hang=True)) as camera:
        live = view(camera, tmp_path)
        live.run(show)
    assert len(shown) == 1 and shown[0].max() > 0, "the screen says that there is no signal"


def test_statistics():
    statistics = LiveStatistics()
    assert (statistics.rate, statistics.latency) == (0, 0)
    statistics.add(time.monotonic() - 0.05, faces=2)
    assert 45 < statistics.latency < 500 and statistics.with_face == 1


@pytest.fixture
def virtual_screen():
    """The display of a fresh Xvfb."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("needs Xvfb: apt-get install xvfb")
    read, write = os.pipe()
    process = subprocess.Popen(
        [program, "-displayfd", str(write), "-screen", "0", "800x600x24"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    process.terminate()
    process.wait(timeout=10)


def test_on_a_screen(virtual_screen, clip, project_root, tmp_path, monkeypatch):
    """The whole program with a window, in a process of its own: a GUI toolkit may end it."""
    monkeypatch.setenv("DISPLAY", virtual_screen)
    check_display()
    command = [sys.executable, str(project_root / "demo_webcam.py"), "--source", str(clip)]
    command += ["--onnx", "--out", str(tmp_path), "--frames", "12"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "12 frames" in done.stdout and "Traceback" not in done.stderr


@pytest.fixture
def listener():
    """Return a socket at a free port, and what decodes all packets that came."""
    pytest.importorskip("pythonosc")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        udp.settimeout(0.2)
        yield udp


def received(udp):
    from pythonosc.osc_bundle import OscBundle

    messages = []
    try:
        while True:
            bundle = OscBundle(udp.recv(4096))
            messages += [(message.address, tuple(message.params)) for message in bundle]
    except TimeoutError:
        return messages


def test_an_avatar_by_vmc(run, clip, listener):
    place = f"127.0.0.1:{listener.getsockname()[1]}"
    assert run("--source", clip, "--headless", "--frames", 12, "--vmc", place)[0] == 0
    messages = received(listener)
    times = [values[0] for address, values in messages if address == "/VMC/Ext/T"]
    assert len(times) == 12 and times == sorted(times)
    heads = [values for address, values in messages if address == "/VMC/Ext/Bone/Pos"]
    assert len(heads) >= 8
    for name, *numbers in heads:
        assert name == "Head" and np.linalg.norm(numbers[3:]) == pytest.approx(1, abs=1e-4)


def test_every_face_by_osc(run, clip, listener):
    place = f"127.0.0.1:{listener.getsockname()[1]}"
    assert run("--source", clip, "--headless", "--frames", 12, "--osc", place)[0] == 0
    messages = received(listener)
    frames = [values for address, values in messages if address == "/tddfa/frame"]
    assert [number for number, *_ in frames] == list(range(12))
    poses = [address for address, _ in messages if address.endswith("/pose")]
    assert len(poses) == sum(count for *_, count in frames) > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vmc", "localhost"], "--vmc: expected HOST:PORT"),
        (["--osc", "localhost:0"], "--osc: expected a port"),
        (["--vmc_mirror"], "--vmc_mirror: expected --vmc"),
    ],
)
def test_bad_destinations(run, clip, arguments, message):
    code, _, err = run("--source", clip, "--headless", "--frames", 1, *arguments)
    assert code == 2 and message in err and err.count("\n") == 1
