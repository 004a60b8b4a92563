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
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.model_files import load_face_model
from training.dataset.crops import photos_of
from training.dataset.packed import pack, read_crop, relabel
from training.dataset.split import is_held_out_picture
from training.labels.annotation import load_annotations
from training.labels.consensus import fit_alone, fuse
from training.labels.pseudo_labels import angles, save_labels, trusted
from training.mediapipe_points import FacePoints, find_points, list_pictures, load_points
from training.provenance.entry import LABEL, Entry, manifest_of, write_manifest
from training.provenance.networks import network_entries
from training.provenance.pictures import picture_entries
from training.provenance.rules import beside
from training.teacher_landmarks import load_second_opinion

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrepareSettings:
    """What becomes of a folder of photos.

    Attributes
    ----------
    photos : Path
        Folder of photos, or of square crops.
    out : Path
        Folder of the data set.
    crops : bool
        `photos` holds square crops.
    relabel : bool
        Fit the points of `out` anew, keep its pictures.
    points : Path, optional
        Folder of `training.mediapipe_points`; by default ``points`` in `out`.
    keep_points : bool
        Use the points that are there, find no more.
    second_opinion : Path, optional
        What `training.teacher_landmarks` wrote.
    fuse : bool
        Fit the face model to both.
    annotated : Path, optional
        Table of 68 points of the photos by hand; needs `fuse`.
    training_part : bool
        Leave the held-out third of the photos out.
    only_cut : bool
        Cut the faces out and stop.
    most_yaw : float, optional
        Leave faces out that look further aside, in degrees: MediaPipe's points alone are off there
        (by 2.6 % of the face up to 30 degrees, by 7 % beyond 60).
    workers : int
        Threads to pack with.
    face_model, detector, assets : optional
        As in a configuration.

    Raises
    ------
    InputError
        If settings that belong together are not given together.
    """

    photos: Path
    out: Path
    crops: bool = False
    relabel: bool = False
    points: Path | None = None
    keep_points: bool = False
    second_opinion: Path | None = None
    fuse: bool = False
    annotated: Path | None = None
    training_part: bool = False
    only_cut: bool = False
    most_yaw: float | None = None
    workers: int = 1
    face_model: str = "configs/face_model.npz"
    detector: str | None = None
    assets: str | None = None

    def __post_init__(self) -> None:
        if self.fuse and not self.second_opinion:
            raise InputError("--fuse: expected --second-opinion too")
        if self.annotated and not self.fuse:
            raise InputError("--annotated: expected --fuse too")
        if self.most_yaw is not None and not 0 < self.most_yaw <= 180:
            raise InputError(f"--most-yaw: expected degrees up to 180, got {self.most_yaw:g}")


def may_be_trained_on(name: str) -> bool:
    """Return whether a photo is not of the third on which `training.evaluate` measures."""
    return not is_held_out_picture(name)


def prepare(settings: PrepareSettings) -> int:
    """Make the data set; return the number of crops to train on.

    Raises
    ------
    InputError
        If a file is missing or malformed, or no face has a good label.
    """
    out = settings.out
    crops = settings.photos if settings.crops else out / "crops"
    if not settings.crops:
        from FaceBoxes.detector import FaceBoxes
        from training.dataset.crops import cut_faces

        detector = FaceBoxes(checkpoint_fp=settings.detector, assets=settings.assets)
        chosen = may_be_trained_on if settings.training_part else (lambda name: True)
        logger.info("%d faces", cut_faces(settings.photos, crops, detector, chosen))
        if settings.only_cut:
            return len(list_pictures(crops))
    folder = settings.points or out / "points"
    if not settings.keep_points:
        find_points(crops, folder)
    found = load_points(folder)
    present = set(list_pictures(crops))
    here = np.array([name in present for name in found.names.tolist()], bool)
    found = FacePoints(found.names[here], found.points[here])
    model = load_face_model(settings.face_model)
    second = load_second_opinion(settings.second_opinion) if settings.second_opinion else None
    if settings.fuse and second is not None:
        marks = load_annotations(settings.annotated, crops) if settings.annotated else None
        labels = fuse(found, second, model, settings.face_model, marks)
        keep = trusted(labels, model)
    else:
        labels = fit_alone(found, model, settings.face_model)
        keep = trusted(labels, model, second)
    aside = np.zeros(len(keep), bool)
    if settings.most_yaw is not None:
        aside = np.abs(angles(labels.camera)[0]) > settings.most_yaw
    doubtful, keep = ~keep, keep & ~aside
    save_labels(out / "all_labels.npz", labels)
    if settings.relabel:
        return relabel(out, labels, keep)
    report = {
        "crops": len(present),
        "without a face": int((~np.isfinite(found.points).all(axis=(1, 2))).sum()),
        "doubtful": int(doubtful.sum()),
        "too far aside": int((aside & ~doubtful).sum()),
        "packed": int(keep.sum()),
        "residual in percent, median": (
            float(np.median(labels.residual[keep])) if keep.any() else None
        ),
    }
    with replacing(out / "report.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
    logger.info("%s", report)
    labels = labels[np.flatnonzero(keep)]
    order = np.argsort(labels.names)
    labels = labels[order]
    if not len(labels.names):
        raise InputError(f"'{settings.photos}': expected at least one face with a good label")
    names = labels.names.tolist()
    pack(
        out,
        names,
        lambda name: read_crop(crops / name),
        labels,
        model,
        detected=True,
        workers=settings.workers,
    )
    write_manifest(out, provenance(settings, names, folder))
    return len(names)


def provenance(settings: PrepareSettings, names: list[str], points: Path) -> list[Entry]:
    """Return where the crops of a data set and their labels come from.

    Parameters
    ----------
    settings : PrepareSettings
    names : list of str
        Of the crops.
    points : Path
        Folder of `training.mediapipe_points`.
    """
    opinions = [points, *([settings.second_opinion] if settings.second_opinion else [])]
    told_by = list(manifest_of([beside(path) for path in opinions]))
    unknown = [path for path in opinions if not manifest_of([beside(path)])]
    told_by += [Entry(LABEL, path.name) for path in unknown]
    if settings.annotated:
        told_by += [
            Entry(LABEL, e.name, e.licence, e.author, e.source, e.path, e.tier)
            for e in picture_entries(settings.annotated.parent, [settings.annotated.name])
        ]
    if settings.crops:
        return [*picture_entries(settings.photos, names), *told_by]
    photos = photos_of(settings.out / "crops")
    whole = sorted({photos.get(name, name) for name in names})
    detector = Path(settings.detector or "weights/FaceBoxesProd.pth")
    return [*picture_entries(settings.photos, whole), *told_by, *network_entries(detector)]


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
    add("--most-yaw", type=float, metavar="DEG", help="leave out faces that look further aside")
    add("--workers", type=int, default=1, help="threads to pack with (%(default)s)")
    add("--face-model", default="configs/face_model.npz")
    add("--detector", help="detector's weights (default: weights/FaceBoxesProd.pth)")
    add("--assets", help="asset folder (default: TDDFA_ASSETS)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    settings = PrepareSettings(**vars(build_parser().parse_args(argv)))
    logger.info("%d crops packed in %s", prepare(settings), settings.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
