"""The page that tracks in the browser: the same numbers as Python's, and what a visitor sees."""

import json
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import numpy as np
import pytest

from benchmarks.browser import measure, moving_portrait, script, write_y4m
from benchmarks.chromium import chromium, find_chromium
from tddfa import FaceAligner
from tddfa.config import load_config
from tddfa.errors import InputError
from tddfa.io.pictures import imread

pytestmark = pytest.mark.slow

NODE = shutil.which("node")
CONFIG = "configs/mb05_120x120.yml"


@pytest.fixture(scope="module")
def browser(project_root):
    return project_root / "examples" / "browser"


@pytest.fixture(scope="module")
def runtime(browser):
    """Skip where onnxruntime-web or Node is not installed."""
    if NODE is None or not (browser / "node_modules" / "onnxruntime-web").is_dir():
        pytest.skip("npm install --prefix examples/browser")


@pytest.fixture(scope="module")
def models(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    script("prepare").write_models(folder)
    return folder


@pytest.fixture(scope="module")
def page(runtime, browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    assert script("prepare").main(["--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def portrait(project_root):
    return imread(project_root / "examples" / "inputs" / "astronaut.png")


@pytest.fixture
def align(runtime, project_root, browser, models, tmp_path):
    """Return a function that aligns a BGR picture with the page's scripts, in Node."""

    def run(image, limits=(0, 0), frames=0):
        opaque = np.full((*image.shape[:2], 1), 255, np.uint8)
        path = tmp_path / "picture.rgba"
        np.concatenate([image[..., ::-1], opaque], axis=2).tofile(path)
        program = project_root / "tests" / "examples" / "align.mjs"
        numbers = (image.shape[1], image.shape[0], *limits, frames)
        words = [NODE, program, browser, models, path, *map(str, numbers)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def landmarks_of(face):
    return np.array([face["landmarks"][axis] for axis in "xyz"])


PICTURES = {
    "whole": lambda image: image,
    "at the border": lambda image: image[90:240, 200:420],
    "two, of odd size": lambda image: np.hstack([image[:301, :411], image[:301, 410::-1]]),
    "small": lambda image: image[30:230:2, 120:330:2],
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("limits", [(720, 1080), (230, 426)])
def test_the_same_faces_as_in_python(align, portrait, project_root, name, limits):
    image = np.ascontiguousarray(PICTURES[name](portrait))
    height, width = limits
    settings = {"max_height": height, "max_width": width}
    config = load_config(project_root / CONFIG).for_tracking()
    aligner = FaceAligner(config, detector_settings=settings, upright=False, second_look=False)
    expected = aligner.detect(image)
    found = align(image, limits)["faces"]
    assert len(found) == len(expected) == (2 if "two" in name else 1)
    for face in expected:
        # Faces of one score may come in another order.
        off = [np.abs(np.subtract(other["box"], face.box)).max() for other in found]
        same = found[int(np.argmin(off))]
        assert min(off) < 1
        assert same["score"] == pytest.approx(face.score, abs=0.01)
        assert np.abs(landmarks_of(same) - face.landmarks).max() < 0.5
        for angle in ("yaw", "pitch", "roll"):
            assert same["pose"][angle] == pytest.approx(getattr(face.pose, angle), abs=0.5)
        np.testing.assert_allclose(same["rotation"], face.pose.rotation, atol=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (120, 160), (31, 700)])
def test_no_face(align, shape):
    assert align(np.full((*shape, 3), 128, np.uint8))["faces"] == []


def test_a_face_is_followed_until_it_is_gone(align, portrait):
    result = align(portrait, frames=40)
    frames, still = result["tracked"], landmarks_of(result["faces"][0])
    assert [[face["id"] for face in faces] for faces in frames[:20]] == [[1]] * 20
    off = landmarks_of(frames[19][0])[:2] - still[:2]
    assert np.abs(off).mean() < 1.5  # ROIs from landmarks, not from the detector
    assert frames[-10:] == [[]] * 10


def test_models_are_small(models):
    assert sum(path.stat().st_size for path in models.iterdir()) < 11e6


def test_without_the_packages_one_line(monkeypatch, tmp_path):
    prepare = script("prepare")
    monkeypatch.setattr(prepare, "RUNTIME", tmp_path)
    with pytest.raises(InputError, match="npm install"):
        prepare.main(["--out", str(tmp_path / "page")])
    assert not (tmp_path / "page").exists()


@contextmanager
def served(folder, **settings):
    with script("serve").make_server(folder, 0, **settings) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()


@pytest.mark.parametrize("threads", [True, False])
def test_headers_for_threads(tmp_path, threads):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "a.mjs").write_text("")
    (tmp_path / "secret").write_text("")
    with served(tmp_path / "page", threads=threads) as address:
        with urllib.request.urlopen(address + "a.mjs") as answer:
            isolated = answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert isolated == threads and answer.headers["Content-Type"] == "text/javascript"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(address + "%2e%2e/secret")


needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="apt-get install chromium")


@needs_chromium
def test_the_camera_is_followed(page, tmp_path):
    write_y4m(tmp_path / "camera.y4m", moving_portrait(), 30)
    with served(page) as address:
        rate = measure(tmp_path / "camera.y4m", 1, address=address)
    assert rate.faces == 1 and rate.fps > 0


@needs_chromium
def test_pictures_and_what_is_none(page, tmp_path, project_root):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with served(page) as address, chromium() as tab:
        tab.open(address)
        tab.wait_for("document.body.dataset.threads")
        tab.choose_file("#file", project_root / "examples" / "inputs" / "astronaut.png")
        tab.wait_for("document.getElementById('rate').textContent === '1 face'")
        tab.choose_file("#file", tmp_path / "broken.png")
        tab.wait_for("/cannot read/.test(document.getElementById('message').textContent)")


@needs_chromium
def test_without_a_camera_the_page_says_so(page):
    with served(page) as address, chromium() as tab:
        tab.open(address)
        tab.wait_for("document.body.dataset.threads")
        tab.evaluate("document.getElementById('camera').click()")
        tab.wait_for("/camera/i.test(document.querySelector('#message.wrong').textContent)")
        requests = [event for event in tab.events if event["method"] == "Network.requestWillBeSent"]
        urls = [event["params"]["request"]["url"] for event in requests]
        assert all(url.startswith((address, "data:", "blob:")) for url in urls)
