"""Compare the labels of a data set with points that people marked.

``python -m training.evaluate_labels data/wild --annotated scenes/landmarks68.csv --points points``

A network learns no better than it is shown: do labels open and shut as the faces do? Prints the
openings of eyes and mouths and the distance of the inner 51 points, for the labels of ``training.
prepare`` (fitted to these very marks, if it was told of them) and, with ``--points``, for
MediaPipe's points. Faces beyond 45 degrees of yaw are left out, as are those that ``prepare``
dropped as doubtful.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.ibug68 import INNER
from tddfa.model_files import load_face_model
from tddfa.pixel_frames import to_centers, turned_over
from training.dataset.batch import CANVAS
from training.dataset.packed import open_packed
from training.evaluation.metrics import eye_corner_distance, nme
from training.evaluation.openings import OpeningReport, compare_openings
from training.labels.annotation import load_annotations
from training.labels.openings_layout import openings_layout
from training.labels.pseudo_labels import angles, landmarks
from training.mediapipe_points import load_points

logger = logging.getLogger(__name__)
Array = npt.NDArray[np.floating]
MOST_YAW = 45.0
FACE_MODEL = Path("configs/face_model.npz")


@dataclass(frozen=True)
class LabelReport:
    """What a source of labels says of n marked faces.

    Attributes
    ----------
    source : str
    openings : OpeningReport
        Of its landmarks, beside the marks.
    inner : float
        Mean distance of the inner 51 points over the outer eye corners', percent; NaN where the
        source has not all of them.
    """

    source: str
    openings: OpeningReport
    inner: float


def report(source: str, found: Array, marked: Array) -> LabelReport:
    """Compare landmarks (n, 2, 68) with marks, both in pixels of the crop."""
    size = eye_corner_distance(marked)
    inner = nme(found[:, :, INNER], marked[:, :, INNER], size).plain
    return LabelReport(source, compare_openings(found, marked), inner)


def evaluate(
    data: Path, annotated: Path, points: Path | None = None, face_model: Path = FACE_MODEL
) -> list[LabelReport]:
    """Return a report of the labels, and one of MediaPipe's points.

    Parameters
    ----------
    data : Path
        A data set of ``training.prepare`` that was cut from whole photos.
    annotated : Path
        See `annotation_table.read_landmark_table`.
    points : Path, optional
        Folder of ``training.mediapipe_points``.
    face_model : Path, optional
        The one that the labels are parameters of; by default the one that ships.

    Raises
    ------
    InputError
        If none of the faces is marked.
    """
    labels = open_packed(data).labels
    marked = load_annotations(annotated, data / "crops").of(labels.names).transpose(0, 2, 1)
    near = np.abs(angles(labels.camera)[0]) < MOST_YAW
    keep = np.flatnonzero(np.isfinite(marked).all(axis=(1, 2)) & near)
    if not len(keep):
        raise InputError(f"'{annotated}': expected marks of at least one face of '{data}'")
    placed = landmarks(labels[keep], load_face_model(face_model))
    own = to_centers(turned_over(placed[:, :, :2], CANVAS)).transpose(0, 2, 1)
    reports = [report("labels", own, marked[keep])]
    if points is not None:
        found = load_points(points)
        row = {name: i for i, name in enumerate(found.names.tolist())}
        index = np.array([row.get(name, -1) for name in labels.names[keep].tolist()])
        theirs = found.points[index[index >= 0]]
        layout, same = to_centers(openings_layout(theirs)), marked[keep][index >= 0]
        seen = np.isfinite(theirs).all(axis=(1, 2))
        if seen.any():
            reports.append(report("MediaPipe", layout[seen], same[seen]))
    return reports


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_labels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", type=Path, help="data set that training.prepare cut from whole photos")
    add("--annotated", type=Path, required=True, metavar="TABLE", help="points marked by hand")
    add("--points", type=Path, help="folder of training.mediapipe_points")
    add("--face-model", type=Path, default=FACE_MODEL)
    args = parser.parse_args(argv)
    for each in evaluate(args.data, args.annotated, args.points, args.face_model):
        o = each.openings
        inner = "" if np.isnan(each.inner) else f", inner points {each.inner:.2f} %"
        logger.info(
            "%s: %d faces%s; lids: error %.3f, %d closed eyes at %.2f of open ones, these at %.2f "
            "of the true gap; lips: error %.3f, %d open mouths at %.2f of the true gap, closed "
            "ones at %.2f of open ones",
            each.source, o.n_faces, inner, o.lid_error, o.n_closed_eyes, o.closed_eye_ratio,
            o.open_eye_ratio, o.lip_error, o.n_open_mouths, o.open_mouth_ratio,
            o.closed_mouth_ratio,
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
