"""Measure a detector beside another one on held-out pictures.

``python -m training.detector.evaluate weights/FaceBoxesProd.pth --scenes ../shared/scenes
--negatives ../shared/negatives --reference ../shared/upstream/weights/FaceBoxesProd.pth``
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from training.dataset.split import is_held_out_picture
from training.detector.boxes import FloatArray, box_of_landmarks, overlaps
from training.evaluation.benchmark_sets import Detector, read_picture
from training.labels.annotation_table import read_landmark_table
from training.mediapipe_points import list_pictures

FOUND_AT = 0.35


@dataclass(frozen=True)
class DetectorReport:
    """What a detector finds.

    Attributes
    ----------
    annotated : int
        Annotated faces of the held-out scenes.
    recall : float
        Share of them that a box overlaps (IoU from 0.35 with the box that their points stand for).
    false_positives : float
        Boxes per held-out picture without a face.
    negatives : int
        Number of those pictures.
    reference_recall, reference_false_positives : float
        The same for the reference.
    mean_overlap : float
        Mean IoU of both detectors' boxes on annotated faces that both find.
    """

    annotated: int
    recall: float
    false_positives: float
    negatives: int
    reference_recall: float
    reference_false_positives: float
    mean_overlap: float


def box_for(face: FloatArray, boxes: FloatArray) -> FloatArray | None:
    """Return the detection of an annotated face, None if it was missed."""
    if not len(boxes):
        return None
    overlap = overlaps(face[None], boxes)[0]
    best = int(overlap.argmax())
    return boxes[best, :4] if overlap[best] >= FOUND_AT else None


def measure(
    detector: Detector, reference: Detector, scenes: Path, negatives: Path, limit: int | None = None
) -> DetectorReport:
    """Measure both detectors on the held-out third of scenes and negatives.

    Raises
    ------
    InputError
        If either holds no picture of that third.
    """
    faces = {
        name: points
        for name, points in sorted(read_landmark_table(scenes / "landmarks68.csv").items())
        if is_held_out_picture(name)
    }
    empty = [name for name in list_pictures(negatives) if is_held_out_picture(name)]
    names, empty = list(faces)[:limit], empty[:limit]
    if not names or not empty:
        raise InputError("expected held-out scenes and negatives")
    hits, both = np.zeros(2, int), []
    for name in names:
        picture = read_picture(scenes / "images" / name)
        found = [detector(picture), reference(picture)]
        for points in faces[name]:
            boxes = [box_for(box_of_landmarks(points), candidates) for candidates in found]
            hits += [box is not None for box in boxes]
            if boxes[0] is not None and boxes[1] is not None:
                both.append(float(overlaps(boxes[0][None], boxes[1][None])[0, 0]))
    false = np.zeros(2, int)
    for name in empty:
        picture = read_picture(negatives / name)
        false += [len(detector(picture)), len(reference(picture))]
    total = sum(len(faces[name]) for name in names)
    recall, mistakes = hits / total, false / len(empty)
    return DetectorReport(
        annotated=total,
        recall=float(recall[0]),
        false_positives=float(mistakes[0]),
        negatives=len(empty),
        reference_recall=float(recall[1]),
        reference_false_positives=float(mistakes[1]),
        mean_overlap=float(np.mean(both)) if both else float("nan"),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.detector.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", help="detector to measure (.pth)")
    parser.add_argument("--reference", required=True, help="detector to compare with (.pth)")
    parser.add_argument("--scenes", type=Path, required=True, help="images/ and landmarks68.csv")
    parser.add_argument("--negatives", type=Path, required=True, help="pictures without a face")
    parser.add_argument("--limit", type=int, help="so many pictures of each (default: all)")
    parser.add_argument("--out", type=Path, help="write the report there (.json)")
    args = parser.parse_args(argv)
    from FaceBoxes.detector import FaceBoxes

    detector, reference = (FaceBoxes(checkpoint_fp=p) for p in (args.weights, args.reference))
    report = asdict(measure(detector, reference, args.scenes, args.negatives, args.limit))
    for key, value in report.items():
        print(f"{key}: {value if isinstance(value, int) else round(value, 4)}")
    if args.out:
        with replacing(args.out) as temporary:
            temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
