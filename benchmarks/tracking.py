"""Tracking scorecard: what the tracker covers, invents, loses and confuses.

The yardstick on clips with several faces is an offline pass of the detector over every frame: the
frame as it is, mirrored, and at double size, put together by overlap. The mean score of the three
passes decides. It is no human annotation; docs/video.md says what was looked at by eye.

    python -m benchmarks.tracking ../shared/videos/*.mp4
"""

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tddfa.arguments import add_model_arguments
from tddfa.cli import run_main
from tddfa.frame import Frame
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.pipelines import build_tracking_pipeline
from tddfa.tracking.association import iou_matrix
from tddfa.tracking.confirmation import keep_confirmed
from tddfa.tracking.face_finder import FaceFinder
from tddfa.tracking.tracker import FaceTracker, TrackerSettings
from tddfa.video.reader import VideoReader

LEAST_SIZE = 40.0
# A track covers a face, or sits on one, from this overlap on.
COVERED, ON_FACE = 0.3, 0.25
SURE, LIKELY, POSSIBLE = 0.5, 0.3, 0.15


def offline_pass(finder: FaceFinder, image: ImageArray) -> FloatArray:
    """Return boxes (n, 5) with the mean score of three looks at the frame."""
    width = image.shape[1]
    double = np.asarray(
        cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    looks = [finder.detect(image), finder.detect(np.ascontiguousarray(image[:, ::-1]))]
    looks[1][:, [0, 2]] = width - 1 - looks[1][:, [2, 0]]
    looks.append(finder.detect(double))
    looks[2][:, :4] /= 2
    clusters: list[list[FloatArray | None]] = []
    for number, boxes in enumerate(looks):
        for box in boxes:
            overlap = [
                max(iou_matrix([box], [b])[0, 0] for b in cluster if b is not None)
                for cluster in clusters
            ]
            best = int(np.argmax(overlap)) if overlap else -1
            if best >= 0 and overlap[best] >= 0.4 and clusters[best][number] is None:
                clusters[best][number] = box
            else:
                clusters.append([None] * number + [box] + [None] * (len(looks) - number - 1))
    faces = []
    for cluster in clusters:
        found = [box for box in cluster if box is not None]
        score = sum(float(box[4]) for box in found) / len(looks)
        faces.append(np.append(max(found, key=lambda box: box[4])[:4], score))
    return np.array(faces, np.float32).reshape(-1, 5)


@dataclass
class Score:
    """Counts over a clip."""

    frames: int = 0
    faces: int = 0
    covered: int = 0
    track_frames: int = 0
    on_nothing: int = 0
    doubtful: int = 0
    ids: int = 0
    lost_frames: int = 0
    detections: int = 0
    after_cut: int = 0


def judge(
    frames: Iterator[Frame], truth: Sequence[FloatArray], misses: list | None = None
) -> Score:
    """Compare tracks with the offline pass."""
    score, ids = Score(), set()
    for frame, boxes in zip(frames, truth, strict=True):
        tracks = np.array([face.box for face in frame.faces], np.float32).reshape(-1, 4)
        numbers = [face.track_id for face in frame.faces]
        size = np.sqrt(np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1))
        sure = boxes[(boxes[:, 4] >= SURE) & (size >= LEAST_SIZE)]
        overlap = iou_matrix(sure, tracks)
        hit = overlap.max(axis=1, initial=0) >= COVERED
        possible = iou_matrix(tracks, boxes[boxes[:, 4] >= POSSIBLE])
        nothing = possible.max(axis=1, initial=0) < ON_FACE
        likely = iou_matrix(tracks, boxes[boxes[:, 4] >= LIKELY])
        score.doubtful += int((likely.max(axis=1, initial=0) < ON_FACE).sum())
        score.frames += 1
        score.faces += len(sure)
        score.covered += int(hit.sum())
        score.track_frames += len(tracks)
        score.on_nothing += int(nothing.sum())
        score.after_cut += int(nothing.sum()) if frame.cut and frame.index else 0
        score.lost_frames += not len(tracks)
        ids.update(numbers)
        if misses is not None:
            misses += [(frame.index, "missed", box) for box in sure[~hit]]
            misses += [
                (frame.index, f"on nothing, id {number}", box)
                for number, box in zip(np.array(numbers)[nothing], tracks[nothing], strict=True)
            ]
    score.ids = len(ids)
    return score


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("runs/offline_detections"))
    parser.add_argument("--detect_every", type=int, default=TrackerSettings.detect_every)
    parser.add_argument("--verbose", action="store_true", help="list what was missed")
    add_model_arguments(parser)
    parser.set_defaults(onnx=True, threads=1)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print one row per clip."""
    args = parse_args(argv)
    pipeline = build_tracking_pipeline(args)
    names = "clip, frames, without track, ids, faces, covered, track frames, on no face"
    columns = [*names.split(", "), f"on none scored {LIKELY}", "on none right after a cut"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for path in args.videos:
        truth = cached_truth(path, FaceFinder(pipeline.tracking_detector, 0.1), args.cache)
        settings = TrackerSettings(detect_every=args.detect_every)
        tracker = FaceTracker(
            pipeline.tracking_detector, pipeline.aligner, settings, pipeline.check
        )
        misses: list = []
        score = judge(keep_confirmed(track(path, tracker)), truth, misses)
        covered = 100 * score.covered / max(score.faces, 1)
        nothing, doubtful = (
            100 * count / max(score.track_frames, 1) for count in (score.on_nothing, score.doubtful)
        )
        print(
            f"| {path.stem} | {score.frames} | {score.lost_frames} | {score.ids} | {score.faces} | "
            f"{covered:.1f} % | {score.track_frames} | {nothing:.1f} % | {doubtful:.1f} % | "
            f"{score.after_cut} |"
        )
        if args.verbose:
            for index, what, box in misses:
                print(f"    {index}: {what} at {box.round().astype(int).tolist()}")
    return 0


def track(path: Path, tracker: FaceTracker) -> Iterator[Frame]:
    """Run the tracker over a clip."""
    with VideoReader(path) as reader:
        for picture in reader:
            faces = tracker(picture.image)
            yield Frame(picture.index, picture.time, picture.image, faces, tracker.cut)


def cached_truth(path: Path, finder: FaceFinder, cache: Path) -> list[FloatArray]:
    """Return the offline pass over a clip, from the cache if it is there.

    The first frame's faces are part of the name: another detector's pass is another one.
    """
    with VideoReader(path) as reader:
        first = offline_pass(finder, next(iter(reader)).image)
    digest = hashlib.sha256(np.ascontiguousarray(first).tobytes()).hexdigest()[:12]
    file = cache / f"{path.stem}_{digest}.npz"
    if not file.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with VideoReader(path) as reader:
            boxes = [offline_pass(finder, picture.image) for picture in reader]
        arrays: dict[str, Any] = {f"{index:06d}": rows for index, rows in enumerate(boxes)}
        np.savez(file, **arrays)
    with np.load(file) as archive:
        return [archive[key] for key in sorted(archive.files)]


if __name__ == "__main__":
    raise SystemExit(run_main(main))
