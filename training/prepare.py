"""Turn a folder of photos into a data set for training.

``python -m training.prepare photos --out data/photos``

Faces are found and cut out, MediaPipe marks their points, the face model is fitted to the points,
doubtful labels are dropped, and the rest is packed for fast reading. Each step keeps its result in
the output folder, and a second run does only what is missing. With ``--crops`` the folder holds
square crops already, 1.4 times a detector's ROI. ``--second-opinion`` takes the archive of
``training.teacher_landmarks`` and drops labels that another network contradicts; with ``--fuse``
the face model is fitted to both, which makes outline and depth better.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.fit import LandmarkFitter, load_landmark_basis
from tddfa.io.atomic import replacing
from tddfa.model_files import load_face_model
from tddfa.pixel_frames import to_centers
from training.dataset.packed import pack, read_crop, relabel
from training.dataset.split import is_held_out_picture
from training.labels.annotation import load_annotations
from training.labels.consensus import fuse
from training.labels.pseudo_labels import Labels, canvas_cameras, save_labels, trusted
from training.mediapipe_points import FacePoints, find_points, list_pictures, load_points
from training.teacher_landmarks import load_second_opinion

logger = logging.getLogger(__name__)


def may_be_trained_on(name: str) -> bool:
    """Return whether a photo is not of the third on which `training.evaluate` measures."""
    return not is_held_out_picture(name)


def fit_labels(found: FacePoints, fitter: LandmarkFitter) -> Labels:
    """Fit the face model to the points of crops; crops without points are left out."""
    known = np.isfinite(found.points).all(axis=(1, 2))
    # The fitter counts pixels from their centers, MediaPipe from the picture's edge.
    fit = fitter.fit(to_centers(found.points[known].astype(np.float64)))
    camera = canvas_cameras(fit.scale, fit.rotation, fit.translation)
    alpha = np.concatenate([fit.shape, fit.expression], axis=1).astype(np.float32)
    residual = (100 * fit.residual).astype(np.float32)
    return Labels(found.names[known], camera, alpha, residual)


def prepare(args: argparse.Namespace) -> int:
    """Run the steps of the command line; return the number of crops to train on."""
    if args.fuse and not args.second_opinion:
        raise InputError("--fuse: expected --second-opinion too")
    if args.annotated and not args.fuse:
        raise InputError("--annotated: expected --fuse too")
    out: Path = args.out
    crops: Path = args.photos if args.crops else out / "crops"
    if not args.crops:
        from FaceBoxes.detector import FaceBoxes
        from training.dataset.crops import cut_faces

        detector = FaceBoxes(checkpoint_fp=args.detector, assets=args.assets)
        chosen = may_be_trained_on if args.training_part else (lambda name: True)
        logger.info("%d faces", cut_faces(args.photos, crops, detector, chosen))
        if args.only_cut:
            return len(list_pictures(crops))
    folder: Path = args.points or out / "points"
    if not args.keep_points:
        find_points(crops, folder)
    found = load_points(folder)
    present = set(list_pictures(crops))
    here = np.array([name in present for name in found.names.tolist()], bool)
    found = FacePoints(found.names[here], found.points[here])
    model = load_face_model(args.face_model)
    second = load_second_opinion(args.second_opinion) if args.second_opinion else None
    if args.fuse and second is not None:
        marks = load_annotations(args.annotated, crops) if args.annotated else None
        labels = fuse(found, second, model, args.face_model, marks)
        keep = trusted(labels, model)
    else:
        fitter = LandmarkFitter(load_landmark_basis(args.face_model, "mediapipe"))
        labels = fit_labels(found, fitter)
        keep = trusted(labels, model, second)
    save_labels(out / "all_labels.npz", labels)
    if args.relabel:
        return relabel(out, labels, keep)
    report = {
        "crops": len(present),
        "without a face": int((~np.isfinite(found.points).all(axis=(1, 2))).sum()),
        "doubtful": int((~keep).sum()),
        "packed": int(keep.sum()),
        "residual in percent, median": float(np.median(labels.residual[keep])),
    }
    with replacing(out / "report.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
    logger.info("%s", report)
    labels = labels[np.flatnonzero(keep)]
    order = np.argsort(labels.names)
    labels = labels[order]
    if not len(labels.names):
        raise InputError(f"'{args.photos}': expected at least one face with a good label")
    names = labels.names.tolist()
    pack(
        out,
        names,
        lambda name: read_crop(crops / name),
        labels,
        model,
        detected=True,
        workers=args.workers,
    )
    return len(names)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training.prepare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("photos", type=Path, help="folder of photos, or of crops with --crops")
    add("--out", type=Path, required=True, help="folder of the data set")
    add("--crops", action="store_true", help="the folder holds square crops")
    add("--relabel", action="store_true", help="fit the points of --out anew, keep its pictures")
    add(
        "--points", type=Path, help="folder of training.mediapipe_points (default: points in --out)"
    )
    add("--keep-points", action="store_true", help="use the points that are there, find no more")
    add("--second-opinion", type=Path, help="archive of training.teacher_landmarks")
    add("--fuse", action="store_true", help="fit the face model to both opinions")
    add("--annotated", type=Path, help="table of 68 points of the photos by hand, for --fuse")
    add("--training-part", action="store_true", help="leave the held-out third of the photos out")
    add("--only-cut", action="store_true", help="cut the faces out and stop")
    add("--workers", type=int, default=1, help="threads to pack with (%(default)s)")
    add("--face-model", default="configs/face_model.npz")
    add("--detector", help="detector's weights (default: weights/FaceBoxesProd.pth)")
    add("--assets", help="asset folder (default: TDDFA_ASSETS)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = build_parser().parse_args(argv)
    logger.info("%d crops packed in %s", prepare(args), args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
