"""Speed, steadiness and memory of video.

    python -m benchmarks.video \
        --clips ../shared/videos/short_hamilton_clip.mp4 ../shared/videos/d12.mp4 \
        --parts tracking faces stages whole jitter soak

tracking  tracker alone, one face in 1280x720, decoding excluded
faces     the same for 1, 2, 4 and 8 faces
stages    each stage by itself, in one thread, per clip
whole     the demos as processes, start-up included
jitter    trembling and error of landmarks, raw and smoothed, on made-up clips whose motion is known
soak      10,000 frames: memory of the process along the way
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tddfa.arguments import add_model_arguments
from tddfa.cli import run_main
from tddfa.face_aligner import FaceAligner
from tddfa.frame import Frame
from tddfa.io.pictures import imread
from tddfa.outputs import output_names
from tddfa.picture import ImageArray
from tddfa.pipelines import build_tracking_pipeline
from tddfa.tracking.live_smoothing import smooth_one_euro
from tddfa.tracking.smoothing import smooth_mean
from tddfa.tracking.tracker import FaceTracker, TrackerSettings
from tddfa.video.outputs import FrameDrawer
from tddfa.video.reader import VideoReader
from tddfa.video.writer import VideoWriter

ROOT = Path(__file__).resolve().parent.parent
PORTRAIT = ROOT / "examples" / "inputs" / "astronaut.png"
PARTS = ("tracking", "faces", "stages", "whole", "jitter", "soak")


def crowd(count: int, frames: int, height: int = 720, width: int = 1280) -> Iterator[ImageArray]:
    """Yield frames with `count` copies of a face, each on a small orbit."""
    face = imread(PORTRAIT)[20:290, 110:330]
    columns = min(count, 4)
    rows = -(-count // columns)
    scale = min(width / columns / 260, height / rows / 310, 2.0)
    face = np.asarray(
        cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )
    tall, wide = face.shape[:2]
    ground = cv2.GaussianBlur(np.full((height, width, 3), (90, 80, 70), np.uint8), (3, 3), 0)
    for number in range(frames):
        image = ground.copy()
        for k in range(count):
            phase = number / 12 + k
            x = (k % columns + 0.5) * width / columns - wide / 2 + 8 * np.cos(phase)
            y = (k // columns + 0.5) * height / rows - tall / 2 + 8 * np.sin(phase)
            left, top = int(np.clip(x, 0, width - wide)), int(np.clip(y, 0, height - tall))
            image[top : top + tall, left : left + wide] = face
        yield np.asarray(image, np.uint8)


def track_times(
    pipeline: FaceAligner, images: Sequence[ImageArray], limit: int | None
) -> list[float]:
    """Return the seconds that the tracker takes for each frame, after a warm-up."""
    tracker = FaceTracker(
        pipeline.tracking_detector,
        pipeline.aligner,
        TrackerSettings(max_faces=limit),
        pipeline.check,
    )
    times = []
    for image in [*images[:10], *images]:
        start = time.perf_counter()
        faces = tracker(image)
        times.append(time.perf_counter() - start)
    assert faces, "the face was lost"
    return times[10:]


def tracking(pipeline: FaceAligner, rounds: int) -> None:
    """One face in 720p; the mean counts, because searches of the whole picture belong to it."""
    images = list(crowd(1, 100))
    runs = [track_times(pipeline, images, 1) for _ in range(rounds)]
    means = [1e3 * float(np.mean(run)) for run in runs]
    median = 1e3 * float(np.median(np.concatenate(runs)))
    print(f"\ntracking one face, 1280x720, {rounds} runs of {len(images)} frames")
    print(
        f"mean per frame: best run {min(means):.2f} ms = {1e3 / min(means):.0f} fps, "
        f"median run {np.median(means):.2f} ms = {1e3 / np.median(means):.0f} fps; "
        f"median frame {median:.2f} ms"
    )


def faces(pipeline: FaceAligner, rounds: int) -> None:
    """Several faces in 720p."""
    print("\n| faces | tracking, ms per frame | fps |\n|---|---|---|")
    for count in (1, 2, 4, 8):
        images = list(crowd(count, 60))
        best = min(float(np.mean(track_times(pipeline, images, None))) for _ in range(rounds))
        print(f"| {count} | {1e3 * best:.2f} | {1 / best:.0f} |")


def stages(pipeline: FaceAligner, clip: Path) -> None:
    """Every stage by itself in this thread, for one face."""
    times: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[..., Any], *args: object) -> Any:
        start = time.perf_counter()
        result = call(*args)
        times.setdefault(name, []).append(time.perf_counter() - start)
        return result

    tracker = FaceTracker(
        pipeline.tracking_detector, pipeline.aligner, TrackerSettings(max_faces=1), pipeline.check
    )
    drawers = {name: FrameDrawer(name) for name in output_names(video=True)}
    with tempfile.TemporaryDirectory() as folder, VideoReader(clip) as reader:
        target = Path(folder) / "o.mp4"
        with VideoWriter(target, reader.time_base, reader.rate, preset="superfast") as writer:
            pictures = iter(reader)
            while (picture := timed("decode", next, pictures, None)) is not None:
                image, pts = picture.image, picture.pts
                found = timed("track", tracker, image)
                frame = Frame(picture.index, picture.time, image, found, tracker.cut, pts)
                timed("dense vertices", getattr, frame, "vertices")
                for option, draw in drawers.items():
                    drawn = timed(option, draw, frame)
                timed("encode", writer.write, drawn, pts)
    print(
        f"\n{clip.stem}, one face, one thread\n\n"
        "| stage | median ms | best ms | fps |\n|---|---|---|---|"
    )
    for name, values in times.items():
        median, best = 1e3 * np.median(values), 1e3 * min(values)
        print(f"| {name} | {median:.2f} | {best:.2f} | {1e3 / median:.0f} |")


def whole(args: argparse.Namespace, rounds: int) -> None:
    """Time the demos as a user does, process start included."""
    print("\n| clip | demo | output | faces | s, best | s, median |\n|---|---|---|---|---|---|")
    model = ["-c", args.config] + (["--assets", args.assets] if args.assets else [])
    model += ["--onnx"] if args.onnx else []
    for clip in args.clips:
        for script in ("demo_video.py", "demo_video_smooth.py"):
            for option in ("2d_sparse", "3d"):
                for who in ("one", "all"):
                    seconds = []
                    with tempfile.TemporaryDirectory() as folder:
                        command = [
                            sys.executable,
                            str(ROOT / script),
                            "-f",
                            str(clip),
                            "-o",
                            option,
                        ]
                        command += ["--faces", who, "--out", f"{folder}/o.mp4", *model]
                        for _ in range(rounds):
                            start = time.perf_counter()
                            subprocess.run(command, check=True, capture_output=True)
                            seconds.append(time.perf_counter() - start)
                    print(
                        f"| {clip.stem} | {script} | {option} | {who} | {min(seconds):.2f} | "
                        f"{np.median(seconds):.2f} |"
                    )


def moving_portrait(frames: int, moving: bool) -> Iterator[tuple[ImageArray, np.ndarray]]:
    """Yield a portrait with sensor noise, moved by known affine maps (2, 3)."""
    rng = np.random.default_rng(0)
    image = imread(PORTRAIT)
    for number in range(frames):
        t = number / 25 if moving else 0.0
        angle, scale = 12 * np.sin(2.1 * t), 1 + 0.2 * np.sin(1.3 * t)
        matrix = cv2.getRotationMatrix2D((220, 150), angle, scale)
        matrix[:, 2] += 60 * np.sin(1.7 * t), 30 * np.sin(2.9 * t)
        moved = cv2.warpAffine(image, matrix, (512, 512), borderMode=cv2.BORDER_REFLECT)
        noise = rng.normal(scale=6, size=moved.shape)
        yield np.clip(moved + noise, 0, 255).astype(np.uint8), matrix


def jitter(pipeline: FaceAligner) -> None:
    """Trembling: mean acceleration of landmarks; error: distance to the landmarks moved along."""
    smoothers: dict[str, Callable[[Iterable[Frame]], Iterable[Frame]]] = {
        "raw": iter,
        "mean, 1 before and 1 after": lambda f: smooth_mean(f, 1, 1),
        "mean, 2 before and 2 after": lambda f: smooth_mean(f, 2, 2),
        "one_euro, no look ahead": lambda f: smooth_one_euro(f, pipeline.aligner),
    }
    print("\n| clip | smoother | trembling, % of face size | error, % of face size |")
    print("|---|---|---|---|")
    for name, moving in (("still face", False), ("moving face", True)):
        frames, maps = [], []
        tracker = FaceTracker(
            pipeline.tracking_detector,
            pipeline.aligner,
            TrackerSettings(max_faces=1),
            pipeline.check,
        )
        for number, (image, matrix) in enumerate(moving_portrait(150, moving)):
            frames.append(Frame(number, number / 25, image, tracker(image), number == 0, number))
            maps.append(matrix)
        # The face as it is without motion: every frame's landmarks moved back, averaged.
        back = [cv2.invertAffineTransform(matrix) for matrix in maps]
        rest = np.mean(
            [_moved(b, f.faces[0].landmarks) for b, f in zip(back, frames, strict=True)], 0
        )
        truth = np.stack([_moved(matrix, rest) for matrix in maps])
        size = np.ptp(truth, axis=2).max(axis=1).mean()
        still = np.linalg.norm(np.diff(truth, 2, axis=0), axis=1).mean() / size
        for label, smooth in smoothers.items():
            points = np.stack([f.faces[0].landmarks[:2] for f in smooth(iter(frames))])
            tremble = np.linalg.norm(np.diff(points - truth, 2, axis=0), axis=1).mean() / size
            error = np.linalg.norm(points - truth, axis=1)[25:].mean() / size
            print(f"| {name} | {label} | {100 * tremble:.3f} | {100 * error:.2f} |")
        print(f"| {name} | (motion itself) | {100 * still:.3f} | |")


def _moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return matrix[:, :2] @ points[:2] + matrix[:, 2:]


def soak(args: argparse.Namespace, frames: int = 10_000) -> None:
    """Run a long video through `demo_video.py` and watch its memory."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "long.mp4"
        with VideoWriter(clip, Fraction(1, 25), Fraction(25), preset="ultrafast") as writer:
            for number, image in enumerate(crowd(1, frames, 180, 320)):
                writer.write(image, number)
        command = [sys.executable, str(ROOT / "demo_video.py"), "-f", str(clip), "-o", "2d_sparse"]
        command += [
            "--out",
            f"{folder}/o.mp4",
            "--save_params",
            f"{folder}/p.npz",
            "-c",
            args.config,
        ]
        command += (["--assets", args.assets] if args.assets else []) + ["--onnx"]
        start, memory = time.perf_counter(), []
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            resident = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
            memory += [int(resident[0]) / 1024] if resident else []
            time.sleep(0.5)
        seconds = time.perf_counter() - start
        rows = np.load(f"{folder}/p.npz")["frame"]
    parts = np.array_split(memory[4:], 5)
    print(
        f"\nsoak: {frames} frames in {seconds:.0f} s, {len(rows)} records; resident memory in MiB, "
        f"median of each fifth of the run: {', '.join(f'{np.median(p):.0f}' for p in parts)}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", nargs="*", type=Path, default=[])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    add_model_arguments(parser)
    parser.set_defaults(onnx=True, threads=1)
    args = parser.parse_args(argv)
    pipeline = build_tracking_pipeline(args)
    if "tracking" in args.parts:
        tracking(pipeline, args.rounds)
    if "faces" in args.parts:
        faces(pipeline, args.rounds)
    if "stages" in args.parts:
        for clip in args.clips:
            stages(pipeline, clip)
    if "whole" in args.parts:
        whole(args, args.rounds)
    if "jitter" in args.parts:
        jitter(pipeline)
    if "soak" in args.parts:
        soak(args)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
