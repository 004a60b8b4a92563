"""How well faces of whole photos are found and aligned when the photo is rolled.

Held-out annotated faces, each photo rolled counterclockwise on a canvas that holds all of it. The
error is the mean distance of the inner 51 landmarks over that of the outer eye corners, of what the
whole pipeline gives: a face that was not found counts as missed, not as an error.

    python -m benchmarks.rolled_faces --scenes ../shared/scenes --limit 60
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.arguments import add_detection_arguments, add_model_arguments
from tddfa.cli import run_main
from tddfa.face_aligner import FaceAligner
from tddfa.pipelines import build_pipeline
from training.dataset.split import is_held_out_picture
from training.detector.boxes import FloatArray, box_of_landmarks, overlaps
from training.detector.picture import Picture
from training.detector.trials import FOUND_AT, LEAST_BOX, ROLLS, roll_whole
from training.evaluation.benchmark_sets import read_picture
from training.labels.annotation_table import read_landmark_table

# Rows of the inner points and of the outer eye corners.
_INNER, _CORNERS = slice(17, 68), (36, 45)


def rolled_points(
    points: npt.NDArray[np.floating], size: tuple[int, int], degrees: float, side: int
) -> npt.NDArray[np.float64]:
    """Return points (2, n) of a picture (height, width) after `roll_whole` to `side` pixels."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array([size[1], size[0]])[:, None] / 2
    return np.asarray(turn @ (points[:2] - middle) + side / 2, np.float64)


def errors(
    aligner: FaceAligner, folder: Path, names: Sequence[str], degrees: float
) -> Iterator[float]:
    """Yield the error in percent of each large face at a roll, NaN for one that was missed."""
    table = read_landmark_table(folder / "landmarks68.csv")
    for name in names:
        image = read_picture(folder / "images" / name)
        large = [np.asarray(points)[:2] for points in table[name] if _is_large(points)]
        if not large:
            continue
        boxes = np.array([box_of_landmarks(points) for points in large], np.float32)
        turned = roll_whole(Picture(image, boxes, boxes[:0]), degrees)
        faces = aligner.detect(turned.image)
        found = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
        for box, points in zip(turned.faces, large, strict=False):
            truth = rolled_points(points, image.shape[:2], degrees, turned.image.shape[0])
            yield _error(box, truth, found, [face.landmarks[:2] for face in faces])


def _is_large(points: npt.ArrayLike) -> bool:
    box = box_of_landmarks(points)
    return bool((box[2:] - box[:2]).mean() >= LEAST_BOX)


def _error(
    box: FloatArray,
    truth: npt.NDArray[np.float64],
    found: FloatArray,
    landmarks: Sequence[FloatArray],
) -> float:
    overlap = overlaps(box[None], found)[0]
    if not len(overlap) or overlap.max() < FOUND_AT:
        return float("nan")
    distance = np.linalg.norm(landmarks[int(overlap.argmax())] - truth, axis=0)[_INNER].mean()
    left, right = truth[:, _CORNERS].T
    return float(100 * distance / np.linalg.norm(left - right))


def main(argv: Sequence[str] | None = None) -> int:
    """Print found faces and errors by roll, with faces turned upright and without."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rolled_faces",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scenes", type=Path, required=True, help="images/ and landmarks68.csv")
    parser.add_argument("--limit", type=int, help="so many photos (default: all)")
    add_model_arguments(parser)
    add_detection_arguments(parser)
    parser.set_defaults(onnx=True)
    args = parser.parse_args(argv)
    table = read_landmark_table(args.scenes / "landmarks68.csv")
    names = [name for name in sorted(table) if is_held_out_picture(name)][: args.limit]
    aligner = build_pipeline(args)
    print("| roll | faces | found | median error | mean error | error of the upright face x |")
    print("|---|---|---|---|---|---|")
    upright = float("nan")
    for degrees in ROLLS:
        values = np.array(list(errors(aligner, args.scenes, names, degrees)))
        seen = values[np.isfinite(values)]
        median, mean = (float(np.median(seen)), float(seen.mean())) if len(seen) else (np.nan,) * 2
        upright = median if degrees == 0 else upright
        print(
            f"| {degrees:.0f}° | {len(values)} | {len(seen) / max(1, len(values)):.3f} | "
            f"{median:.2f} % | {mean:.2f} % | {median / upright:.2f} |"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
