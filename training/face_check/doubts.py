"""Measure how the regressor's word goes with those of detector and face check.

``python -m training.face_check.doubts configs/free_mb1.yml --scenes ../shared/scenes --negatives
../shared/negatives``

Everything that the detector reports in an upright search, from a score of 0.1 on, is looked at by
the check and, as it is and in a mirror, by the regressor (`tddfa.face_check.mirror_agreement`), in
photos with annotated faces and in pictures without one. Held-out pictures are left out: weight and
neutral distance of the regressor's word are chosen by what this prints.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.arguments import positive_int
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.face_check.checked_detector import CheckedDetector, CheckSettings
from tddfa.face_check.looks import logit_of
from tddfa.face_check.mirror_agreement import MirrorAgreement, agreement_logit
from tddfa.roi import parse_roi_box_from_bbox
from training.dataset.split import is_held_out_picture
from training.detector.boxes import FloatArray, box_of_landmarks, overlaps
from training.detector.trials import FOUND_AT
from training.evaluation.benchmark_sets import read_picture
from training.face_check.calibrate import fit
from training.labels.annotation_table import read_landmark_table
from training.mediapipe_points import list_pictures

# Doubts, a little wider than they are asked for, on which the regression is fitted.
_NEAR = (-6.0, 5.0)
RATES = (0.003, 0.005, 0.01, 0.02)
Picture = tuple[Path, list[FloatArray]]


@dataclass(frozen=True)
class Doubts:
    """What was reported in m pictures, n places.

    Attributes
    ----------
    face : ndarray, shape (n,), int64
        Number of the annotated face that is there, -1 where none is.
    logit : ndarray, shape (n,), float64
        Of detector and check together.
    distance : ndarray, shape (n,), float64
        Of both answers of the regressor, see `MirrorAgreement.at`.
    faces, empty : int
        Annotated faces, and pictures without one.
    """

    face: npt.NDArray[np.int64]
    logit: npt.NDArray[np.float64]
    distance: npt.NDArray[np.float64]
    faces: int
    empty: int


def pictures_of(scenes: Path, negatives: Path, every: int) -> Iterator[Picture]:
    """Yield every n-th annotated photo with its boxes, and all empty pictures; none held out."""
    table = read_landmark_table(scenes / "landmarks68.csv")
    for name in [name for name in sorted(table) if not is_held_out_picture(name)][::every]:
        yield scenes / "images" / name, [box_of_landmarks(points) for points in table[name]]
    for name in list_pictures(negatives):
        if not is_held_out_picture(name):
            yield negatives / name, []


def look_at(aligner: FaceAligner, pictures: Sequence[Picture]) -> Doubts:
    """Look at what the detector reports; in annotated photos, at what overlaps a face alone.

    Raises
    ------
    InputError
        If the configuration has no face check.
    """
    from tqdm import tqdm

    detector = aligner.detector
    if not isinstance(detector, CheckedDetector):
        raise InputError("config: expected one with a face check (face_check_fp)")
    agreement, least = MirrorAgreement(aligner.aligner), CheckSettings().doubted_score
    rows, faces = [np.zeros((0, 3))], 0
    for path, known in tqdm(pictures, unit="picture"):
        image = read_picture(path)
        boxes = detector.detector.detect(image, least_score=least)
        there = np.full(len(boxes), -1)
        if known and len(boxes):
            overlap = overlaps(np.stack(known), boxes)
            there = np.where(overlap.max(axis=0) >= FOUND_AT, faces + overlap.argmax(axis=0), -1)
            boxes, there = boxes[there >= 0], there[there >= 0]
        faces += len(known)
        rois = [parse_roi_box_from_bbox(box) for box in boxes]
        logits = logit_of(detector.combined(boxes[:, 4], detector.check.at(image, rois)))
        distances = agreement.at(image, rois, detector.check.turns(image, rois))
        rows.append(np.column_stack([there, logits, distances]))
    face, logit, distance = np.concatenate(rows).T
    empty = sum(not known for _, known in pictures)
    return Doubts(face.astype(np.int64), logit, distance, faces, empty)


def found_at(doubts: Doubts, score: npt.NDArray[np.float64], rate: float) -> float:
    """Return the share of faces found where so many others a picture without a face score higher.

    Examples
    --------
    >>> import numpy as np
    >>> doubts = Doubts(np.array([0, -1, 1]), np.zeros(3), np.zeros(3), faces=4, empty=10)
    >>> found_at(doubts, np.array([3.0, 2.0, 1.0]), 0.0)
    0.25
    """
    others = np.sort(score[doubts.face < 0])[::-1]
    let_through = int(rate * doubts.empty)
    least = others[let_through] if let_through < len(others) else -np.inf
    return len(np.unique(doubts.face[(doubts.face >= 0) & (score > least)])) / doubts.faces


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.face_check.doubts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", help="configuration with a face check, or its name")
    parser.add_argument("--scenes", type=Path, required=True, help="images/ and landmarks68.csv")
    parser.add_argument("--negatives", type=Path, required=True, help="pictures without a face")
    parser.add_argument(
        "--every", type=positive_int, default=3, help="one photo in N (%(default)s)"
    )
    args = parser.parse_args(argv)
    pictures = list(pictures_of(args.scenes, args.negatives, args.every))
    doubts = look_at(FaceAligner(args.config, threads=1), pictures)
    faces = doubts.face >= 0
    if not faces.any() or faces.all():
        raise InputError("--scenes, --negatives: expected faces and other things to be reported")
    for name, part, shares in (("faces", faces, (10, 50, 90, 97)), ("others", ~faces, (3, 10, 50))):
        values = np.percentile(doubts.distance[part], shares)
        told = (f"{a} % {b:.3f}" for a, b in zip(shares, values, strict=True))
        print(f"distance, {name}: " + ", ".join(told))
    words = {
        "detector and check": doubts.logit,
        "mirror alone": -doubts.distance,
        "all three": doubts.logit + agreement_logit(doubts.distance),
    }
    print(f"found of {doubts.faces} faces at so many false ones a picture of {doubts.empty}:")
    for name, score in words.items():
        print(f"{name:20}" + "  ".join(f"{r}: {found_at(doubts, score, r):.3f}" for r in RATES))
    near = (doubts.logit > _NEAR[0]) & (doubts.logit < _NEAR[1])
    word = -np.log(np.maximum(doubts.distance, 1e-6))
    gain, weight, bias = fit(np.column_stack([doubts.logit, word])[near], faces[near])
    print(f"regression: {weight / gain:.2f} ln({np.exp(bias / weight):.3f} / d) beside both")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
