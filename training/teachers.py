"""Score label sources on pictures with ground truth: which teacher is good at which yaw.

``python -m training.teachers ../shared/aflw2000_val199 --out runs/teachers
--task face_landmarker.task -c configs/reference_mb05.yml configs/mb1_120x120.yml``

The faces are cut out as training's crops are, marked and fitted by the code that labels those, and
the labels' landmarks are measured like a network's (NME in percent per bin of yaw). It chooses
between teachers; nothing that is trained may be tuned to it.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.model_files import load_face_model
from tddfa.pixel_frames import to_centers, to_edges
from tddfa.roi import crop_img
from training.dataset.batch import CANVAS, INPUT
from training.evaluation import metrics
from training.evaluation.benchmark_sets import LandmarkSet, load_ground_truth, read_picture
from training.evaluation.predict import open_aligner
from training.labels.consensus import fit_alone, fuse
from training.labels.pseudo_labels import landmarks
from training.mediapipe_points import FacePoints, find_points, load_points
from training.teacher_landmarks import SecondOpinion, ask

logger = logging.getLogger(__name__)
FloatArray = npt.NDArray[np.floating]


def squares(faces: LandmarkSet) -> FloatArray:
    """Return the boxes (n, 4) that crops cover, 1.4 times the ROIs, in whole pixels."""
    center = (faces.rois[:, :2] + faces.rois[:, 2:]) / 2
    half = (faces.rois[:, 2:] - faces.rois[:, :2]) / 2 * (CANVAS / INPUT)
    return np.round(np.concatenate([center - half, center + half], axis=1))


def cut(faces: LandmarkSet, folder: Path) -> list[str]:
    """Write each face's crop of 168 px that is not there yet; return their names."""
    names = []
    for i, (path, box) in enumerate(zip(faces.paths, squares(faces), strict=True)):
        names.append(f"{i:05d}.png")
        if (folder / names[-1]).exists():
            continue
        crop = crop_img(read_picture(path), box)
        how = cv2.INTER_AREA if crop.shape[0] > CANVAS else cv2.INTER_CUBIC
        with replacing(folder / names[-1]) as temporary:
            cv2.imwrite(str(temporary), cv2.resize(crop, (CANVAS, CANVAS), interpolation=how))
    return names


class Score:
    """Measures landmarks of crops against a set's truth.

    Parameters
    ----------
    faces : LandmarkSet
    """

    def __init__(self, faces: LandmarkSet) -> None:
        self.faces = faces
        boxes = squares(faces)
        self._low, self._scale = boxes[:, :2], (boxes[:, 2:] - boxes[:, :2]) / CANVAS

    def __call__(self, title: str, edge: FloatArray) -> metrics.NmeReport:
        """Print and return the NME of points (n, 68, 2) in edge coordinates of the crops, y down.

        Faces without points (NaN) are left out.
        """
        known = np.isfinite(edge).all(axis=(1, 2))
        placed = to_centers(edge * self._scale[:, None] + self._low[:, None])
        truth, yaw = self.faces.points[known], self.faces.yaw
        report = metrics.nme(
            placed[known].transpose(0, 2, 1),
            truth,
            metrics.box_size(truth),
            None if yaw is None else yaw[known],
        )
        bins = " / ".join(f"{value:5.2f}" for value in report.bins)
        print(f"{title:44s} {bins}   {report.mean_of_bins:5.2f}   {known.sum()} faces")
        return report


def _canvas_to_edge(points: FloatArray) -> FloatArray:
    """Return landmarks (n, 68, 3) of labels as edge coordinates (n, 68, 2), y down."""
    return points[:, :, :2] * [1, -1] + [0, CANVAS]


def score(args: argparse.Namespace) -> dict[str, metrics.NmeReport]:
    """Score what the command line asks for; return the reports by title."""
    faces = load_ground_truth(args.set)
    crops = args.out / "crops"
    names = cut(faces, crops)
    model = load_face_model(args.face_model)
    measure, reports = Score(faces), {}
    print(f"NME, percent, |yaw| {'':24s}    ≤30 /   ≤60 /   ≤90    mean")

    def add(title: str, edge: FloatArray) -> None:
        reports[title] = measure(title, edge)

    opinions = []
    for config in args.config:
        aligner = open_aligner(config, assets=args.assets, onnx=args.onnx)
        opinions.append(ask([aligner], crops, names, args.network_views))
        title = f"{Path(config).stem}, {args.network_views} views"
        add(title, to_edges(opinions[-1].points[:, :2].transpose(0, 2, 1)))
    both = SecondOpinion(np.array(names), np.mean([o.points for o in opinions], axis=0))
    if len(opinions) > 1:
        add("mean of them", to_edges(both.points[:, :2].transpose(0, 2, 1)))
    folder = args.out / f"points_{'task' if args.task else 'mesh'}_{args.views}"
    mesh = None
    if args.task:
        from training.labels.task_net import TaskNet

        mesh = TaskNet(args.task, args.views)
    find_points(crops, folder, mesh=mesh)
    found = load_points(folder)
    order = np.argsort(found.names)
    found = FacePoints(found.names[order], found.points[order])
    alone = np.full((len(names), 68, 2), np.nan)
    labels = fit_alone(found, model, args.face_model)
    rows = np.searchsorted(found.names, labels.names)
    alone[rows] = _canvas_to_edge(landmarks(labels, model))
    add(f"{'task net' if args.task else 'two-pass mesh'}, {args.views} views, fitted", alone)
    fused = fuse(found, both, model, args.face_model)
    add("labels: both, by training.labels.joint_fit", _canvas_to_edge(landmarks(fused, model)))
    return reports


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.teachers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("set", type=Path, help="folder with images/ and ground_truth.npz")
    add("--out", type=Path, required=True, help="folder of crops and points, kept for the next run")
    add("-c", "--config", nargs="+", default=["configs/mb1_120x120.yml"], help="networks to ask")
    add("--network-views", type=int, default=2, help="of each network (%(default)s)")
    add("--task", type=Path, help="face_landmarker.task (default: the two-pass mesh)")
    add("--views", type=int, default=2, help="of the task's network (%(default)s)")
    add("--face-model", default="configs/face_model.npz")
    add("--assets", help="asset folder (default: TDDFA_ASSETS)")
    add("--onnx", action="store_true", help="use ONNX Runtime, which is faster")
    args = parser.parse_args(argv)
    if not args.set.is_dir():
        raise InputError(f"'{args.set}': expected a folder with images/ and ground_truth.npz")
    score(args)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
