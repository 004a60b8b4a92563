"""Measure a detector beside another one on held-out pictures.

``python -m training.detector.evaluate weights/FaceBoxesProd.pth --scenes ../shared/scenes
--negatives ../shared/negatives --reference ../shared/upstream/weights/FaceBoxesProd.pth``

``--rolled`` adds the scenes at all rolls, ``--turned`` faces turned in 3D on empty pictures,
``--profiles`` crops of real faces by yaw, ``--empty`` more pictures without a face. ``--check``
puts the face check behind the detector to be measured; still pictures are then searched as the
demos search them (`tddfa.picture_search`), with ``--one-scale`` at no other scale, with ``--once``
as they lie. ``--regressor`` is asked in doubt, as the demos ask theirs.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from training.dataset.split import is_held_out_picture
from training.detector.boxes import FloatArray, box_of_landmarks, overlaps
from training.detector.trials import (
    FOUND_AT,
    Trial,
    profile_trials,
    rates,
    rolled_scenes,
    turned_trials,
)
from training.evaluation.benchmark_sets import Detector, read_picture
from training.labels.annotation_table import read_landmark_table
from training.labels.pseudo_labels import load_labels
from training.mediapipe_points import list_pictures


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
    names = list(faces)[:limit]
    if not names:
        raise InputError(f"'{scenes}': expected held-out scenes")
    hits, both = np.zeros(2, int), []
    for name in names:
        picture = read_picture(scenes / "images" / name)
        found = [detector(picture), reference(picture)]
        for points in faces[name]:
            boxes = [box_for(box_of_landmarks(points), candidates) for candidates in found]
            hits += [box is not None for box in boxes]
            if boxes[0] is not None and boxes[1] is not None:
                both.append(float(overlaps(boxes[0][None], boxes[1][None])[0, 0]))
    total = sum(len(faces[name]) for name in names)
    recall = hits / total
    count, *mistakes = false_positives(detector, reference, negatives, limit)
    return DetectorReport(
        annotated=total,
        recall=float(recall[0]),
        false_positives=mistakes[0],
        negatives=count,
        reference_recall=float(recall[1]),
        reference_false_positives=mistakes[1],
        mean_overlap=float(np.mean(both)) if both else float("nan"),
    )


def false_positives(
    detector: Detector, reference: Detector, folder: Path, limit: int | None = None
) -> tuple[int, float, float]:
    """Count a folder's held-out pictures, and both detectors' boxes on each of them."""
    names = [name for name in list_pictures(folder) if is_held_out_picture(name)][:limit]
    if not names:
        raise InputError(f"'{folder}': expected held-out pictures")
    pictures = (read_picture(folder / name) for name in names)
    counts = np.array([(len(detector(image)), len(reference(image))) for image in pictures])
    own, other = counts.mean(axis=0)
    return len(names), float(own), float(other)


def trials(args: argparse.Namespace) -> Iterator[Trial]:
    """Yield what the command line asks for."""
    most = args.limit or 100
    if args.rolled:
        yield from rolled_scenes(args.scenes, args.limit)
    for data in args.turned:
        yield from turned_trials(data, args.negatives, most)
    if args.profiles:
        if args.opinions is None:
            raise InputError("--profiles: expected --opinions too")
        first, second = (load_labels(path) for path in args.opinions)
        yield from profile_trials(args.profiles, first, second, args.held_out, most)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.detector.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", help="detector to measure (.pth)")
    parser.add_argument("--reference", required=True, help="detector to compare with (.pth)")
    parser.add_argument("--check", help="face check behind the detector (.pth)")
    parser.add_argument(
        "--two-scales", action="store_true", help="search at half the scale as well"
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="with --check: search once, neither turned nor at another scale",
    )
    parser.add_argument(
        "--one-scale",
        action="store_true",
        help="with --check: no other scale for small faces or none, as by --detect_scale 0",
    )
    parser.add_argument(
        "--regressor", metavar="CONFIG", help="with --check: configuration of the regressor"
    )
    parser.add_argument("--scenes", type=Path, required=True, help="images/ and landmarks68.csv")
    parser.add_argument("--negatives", type=Path, required=True, help="pictures without a face")
    parser.add_argument("--rolled", action="store_true", help="the scenes at rolls of 0 to 180")
    parser.add_argument(
        "--turned", type=Path, nargs="*", default=[], help="packed faces of training.synthesize"
    )
    parser.add_argument("--profiles", type=Path, help="folder of crops of real faces")
    parser.add_argument(
        "--opinions",
        type=Path,
        nargs=2,
        help="their poses by two regressors, all_labels.npz of training.detector.guess",
    )
    parser.add_argument(
        "--held-out", type=int, default=3, metavar="N", help="one crop in N (%(default)s)"
    )
    parser.add_argument("--empty", type=Path, help="more pictures without a face")
    parser.add_argument("--limit", type=int, help="so many pictures of each (default: all)")
    parser.add_argument("--out", type=Path, help="write the report there (.json)")
    args = parser.parse_args(argv)
    for name in ("once", "one_scale", "regressor"):
        if getattr(args, name) and not args.check:
            raise InputError(f"--{name.replace('_', '-')}: expected --check with it")
    from FaceBoxes.detector import FaceBoxes
    from tddfa.detectors.faceboxes_two_scales import TwoScales

    faceboxes = FaceBoxes(checkpoint_fp=args.weights)
    searching = TwoScales(faceboxes) if args.two_scales else faceboxes
    detector: Detector = searching
    reference = FaceBoxes(checkpoint_fp=args.reference)
    if args.check:
        from tddfa.face_check.checked_detector import CheckedDetector
        from tddfa.face_check.torch_check import TorchFaceCheck
        from tddfa.picture_search import find_faces

        checked = CheckedDetector(searching, TorchFaceCheck(Path(args.check)))
        if args.regressor:
            from tddfa.build_aligner import build_aligner
            from tddfa.config import load_config
            from tddfa.face_check.mirror_agreement import MirrorAgreement
            from tddfa.runtime import Runtime

            regressor = build_aligner(load_config(args.regressor), Runtime("onnx"), False)
            checked = checked.asking(MirrorAgreement(regressor))
        scale = 0.0 if args.one_scale else None
        detector = checked if args.once else partial(find_faces, checked, detect_scale=scale)
    report: dict[str, Any] = asdict(
        measure(detector, reference, args.scenes, args.negatives, args.limit)
    )
    if args.empty:
        keys = ("empty", "empty_false_positives", "empty_reference_false_positives")
        counts = false_positives(detector, reference, args.empty, args.limit)
        report.update(zip(keys, counts, strict=True))
    for key, value in report.items():
        print(f"{key}: {value if isinstance(value, int) else round(value, 4)}")
    found = rates(trials(args), detector, reference)
    if found:
        print("condition         faces   found (reference)   score > 0.8 (reference)")
    for row in found:
        own, clear = (f"{a:.3f} ({b:.3f})" for a, b in row.pairs())
        print(f"{row.condition:16} {row.faces:6}   {own:17}   {clear}")
    report["regressor"] = args.regressor
    report["rates"] = [asdict(row) for row in found]
    if args.out:
        with replacing(args.out) as temporary:
            temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
