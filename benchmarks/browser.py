"""Frames per second of the page examples/browser, in headless Chromium with a fake camera.

npm install --prefix examples/browser && python examples/browser/prepare.py
python -m benchmarks.browser                 # the astronaut, moving before the camera
python -m benchmarks.browser --clip clip.mp4 # a video plays the camera
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.chromium import chromium
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.pictures import imread
from tddfa.picture import ImageArray
from tddfa.video.reader import VideoReader

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ROOT / "examples" / "browser"
PORTRAIT = ROOT / "examples" / "inputs" / "astronaut.png"
WIDTH, HEIGHT = 640, 480
FACE = (228, 120)  # its middle in the portrait, pixels
FRAMES = 150
WARM_UP = 3.0


@dataclass(frozen=True)
class Rate:
    """What the page did: WebAssembly's threads, frames per second, milliseconds per frame."""

    threads: int
    fps: float
    work: float
    faces: int

    def __str__(self) -> str:
        """Return a line to print."""
        threads = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        faces = f"{self.faces} face{'' if self.faces == 1 else 's'}"
        return f"{threads}: {self.fps:.1f} frames/s, {self.work:.1f} ms per frame, {faces}"


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clip", type=Path, help="video that plays the camera")
    parser.add_argument("--fps", type=int, default=60, help="of the camera (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8, help="default: %(default)s")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    parser.add_argument("--screenshot", type=Path, help="write what is seen at the end")
    args = parser.parse_args()
    if not (BROWSER / "page" / "index.html").is_file():
        raise InputError(f"'{BROWSER / 'page'}': no page, run examples/browser/prepare.py first")
    frames = _clip(args.clip) if args.clip else moving_portrait()
    with tempfile.TemporaryDirectory() as folder:
        camera = Path(folder) / "camera.y4m"
        write_y4m(camera, frames, args.fps)
        with script("serve").make_server(BROWSER / "page", 0) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://localhost:{server.server_port}/"
            for threads in args.threads:
                rate = measure(
                    camera,
                    args.seconds,
                    address=address,
                    threads=threads,
                    screenshot=args.screenshot,
                )
                print(rate, flush=True)
            server.shutdown()
    return 0


def measure(
    camera: Path,
    seconds: float,
    *,
    address: str,
    threads: int = 1,
    screenshot: Path | None = None,
) -> Rate:
    """Let Chromium watch its fake camera, and return how fast the page was.

    Parameters
    ----------
    camera : Path
        Y4M file that plays the camera.
    seconds : float
        To measure, after the first ones.
    address : str
        Of the page.
    threads : int
        Of WebAssembly; more than one need a page that is served with the headers for them.
    screenshot : Path, optional
        Picture to write at the end.
    """
    flags = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    )
    with chromium(flags, (1024, 760)) as page:
        page.open(f"{address}?threads={threads}")
        page.wait_for("document.body.dataset.threads")
        page.evaluate("document.getElementById('camera').click()")
        page.wait_for("document.body.dataset.frames")
        time.sleep(WARM_UP)
        before = page.evaluate(_COUNTS)
        time.sleep(seconds)
        after = page.evaluate(_COUNTS)
        if screenshot is not None:
            page.screenshot(screenshot)
    frames = after["frames"] - before["frames"]
    if not frames:
        raise InputError("the page showed no frame in this time")
    fps = 1000 * frames / (after["time"] - before["time"])
    work = (after["work"] - before["work"]) / frames
    return Rate(int(after["threads"]), fps, work, int(after["faces"]))


# The page adds to its counts every half second.
_COUNTS = """new Promise((done) => {
  const data = document.body.dataset, old = data.frames;
  const look = () => data.frames === old ? setTimeout(look, 5) : done({
    time: performance.now(), frames: +data.frames, work: +data.work,
    threads: +data.threads, faces: +data.faces });
  look();
})"""


def moving_portrait() -> Iterator[ImageArray]:
    """Yield frames of the portrait as it moves, turns and comes closer, over and over."""
    portrait = imread(PORTRAIT)
    for number in range(FRAMES):
        turn = 2 * np.pi * number / FRAMES
        matrix = cv2.getRotationMatrix2D(FACE, 8 * np.sin(2 * turn), 1.6 + 0.3 * np.sin(turn))
        matrix[:, 2] += (
            WIDTH / 2 - FACE[0] + 80 * np.sin(2 * turn),
            HEIGHT * 0.45 - FACE[1] + 20 * np.cos(turn),
        )
        size = WIDTH, HEIGHT
        frame = cv2.warpAffine(portrait, matrix, size, borderMode=cv2.BORDER_REFLECT)
        yield np.asarray(frame, np.uint8)


def _clip(path: Path) -> Iterator[ImageArray]:
    with VideoReader(path) as reader:
        for frame in islice(reader, 2 * FRAMES):
            scale = min(WIDTH / frame.image.shape[1], HEIGHT / frame.image.shape[0])
            small = cv2.resize(frame.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            canvas[: small.shape[0], : small.shape[1]] = small
            yield canvas


def write_y4m(path: Path, frames: Iterator[ImageArray], fps: int) -> None:
    """Write BGR frames of 640x480 as Y4M, which Chromium's fake camera reads."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{fps}:1 Ip A1:1 C420\n".encode())
        for frame in frames:
            file.write(b"FRAME\n")
            file.write(cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())


def script(name: str) -> Any:
    """Return a script beside the page as a module."""
    spec = spec_from_file_location(name, BROWSER / f"{name}.py")
    if spec is None or spec.loader is None:
        raise InputError(f"'{BROWSER}': no {name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(run_main(main))
