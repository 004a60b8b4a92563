"""How well the tracker's cheap check tells faces from everything else, and what it costs.

Faces are annotated ones of whole photographs, seen through a ROI that is off by up to 6 % like a
track's. Against them: crops of pictures without a face, and crops beside a face by 0.7 to 1 of
its side. As in the tracker, each is aligned first and judged where the landmarks came to lie.

    python -m benchmarks.face_check --scenes ../shared/scenes --negatives ../shared/negatives
"""

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from tddfa.arguments import add_model_arguments
from tddfa.cli import run_main
from tddfa.face_box import face_boxes_of, landmark_roi
from tddfa.io.pictures import imread
from tddfa.picture import ImageArray
from tddfa.pipelines import build_pipeline
from tddfa.roi import network_input, parse_roi_box_from_landmark
from tddfa.tracking.face_finder import FaceFinder, fractions
from tddfa.tracking.face_observer import FaceObserver, Observation, Plausibility

Sample = tuple[ImageArray, list[float]]


def samples(scenes: Path, negatives: Path, count: int, seed: int = 0) -> dict[str, list[Sample]]:
    """Return pictures with the ROIs to look at."""
    rng = np.random.default_rng(seed)
    sets: dict[str, list[Sample]] = {"face": [], "no face": [], "beside a face": []}
    with (scenes / "landmarks68.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    for index in rng.permutation(len(rows))[:count]:
        image = imread(scenes / "images" / rows[index][0])
        points = np.array(rows[index][1:137], float).reshape(68, 2).T
        roi = np.array(parse_roi_box_from_landmark(points))
        side = roi[2] - roi[0]
        center = (roi[:2] + roi[2:]) / 2 + rng.uniform(-0.06, 0.06, 2) * side
        half = side * np.exp(rng.uniform(-0.06, 0.06)) / 2
        sets["face"].append((image, [*(center - half), *(center + half)]))
        angle, way = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.0) * side
        shift = np.tile([np.cos(angle), np.sin(angle)], 2) * way
        sets["beside a face"].append((image, (roi + shift).tolist()))
    for path in sorted(negatives.iterdir()):
        image = imread(path)
        height, width = image.shape[:2]
        side = rng.uniform(0.3, 1) * min(height, width)
        x, y = rng.uniform(0, width - side), rng.uniform(0, height - side)
        sets["no face"].append((image, [x, y, x + side, y + side]))
    return sets


def scores(threshold: float, observation: Observation) -> bool:
    """Return whether the detector's score reaches a threshold."""
    return observation.face.score >= threshold


def look(observer: FaceObserver, items: Sequence[Sample]) -> list[Observation]:
    """Follow each ROI for a frame, as a track does: align, then look where the landmarks are."""
    found = []
    for image, roi in items:
        ((_, landmarks),) = observer.align(image, [roi])
        inner = landmark_roi(landmarks)
        found += observer(image, [inner])
    return found


def timing(finder: FaceFinder, observer: FaceObserver, item: Sample, rounds: int = 60) -> str:
    """Return the times of one check and one alignment, alternating, best of all rounds."""
    image, roi = item
    crops = network_input(image, [roi])
    place = fractions(face_boxes_of(roi), roi)
    calls = {
        "check": lambda: finder.detector.score_crops(crops, place),
        "second look": lambda: finder.look_wider(image, [roi]),
        "regressor": lambda: observer.aligner.forward(crops),
        "full detector": lambda: finder.detect(image),
    }
    best = dict.fromkeys(calls, np.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    size = f"{image.shape[1]}x{image.shape[0]}"
    return ", ".join(f"{name} {1e3 * value:.2f} ms" for name, value in best.items()) + f" ({size})"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rates for several thresholds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--negatives", type=Path, required=True)
    parser.add_argument("--count", type=int, default=500)
    add_model_arguments(parser)
    parser.set_defaults(onnx=True, threads=1)
    args = parser.parse_args(argv)
    pipeline = build_pipeline(args)
    finder = FaceFinder(pipeline.detector)
    observer = FaceObserver(finder, pipeline.aligner)
    sets = samples(args.scenes, args.negatives, args.count)
    seen = {name: look(observer, items) for name, items in sets.items()}
    counts = ", ".join(f"{len(items)} {name}" for name, items in seen.items())
    print(f"{counts}; limits {Plausibility()}\n")
    print("| accepted by | " + " | ".join(seen) + " |")
    print("|---|" + "---|" * len(seen))
    rules: dict[str, Callable[[Observation], bool]] = {
        "check and second look": lambda o: o.seen,
        "plausibility": lambda o: o.plausible,
        "all (what the tracker does)": lambda o: o.plausible and o.seen,
    }
    for threshold in (0.1, 0.25, 0.5):
        rules[f"score >= {threshold}"] = partial(scores, threshold)
    for name, rule in rules.items():
        rates = [100 * np.mean([rule(o) for o in items]) for items in seen.values()]
        print(f"| {name} | " + " | ".join(f"{rate:.1f} %" for rate in rates) + " |")
    print("\n" + timing(finder, observer, sets["face"][0]))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
