"""Pictures and boxes that the detector learns from.

``python -m training.detector.sources ../shared/scenes/images --out data/scene_boxes.npz``

runs a detector over a folder and keeps what it found; ``--landmarks`` adds annotated faces that it
missed. ``--empty`` runs none: the folder is known to hold no face, whatever a detector says.
``--labels`` runs none either: the folder holds the crops of a packed set, which knows where their
faces are.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from tddfa.model_files import load_face_model
from tddfa.morphable_model import MorphableModel
from training.dataset.packed import open_packed
from training.detector.boxes import FloatArray, box_of_landmarks, merge
from training.evaluation.benchmark_sets import Detector, read_picture
from training.labels.annotation_table import read_landmark_table
from training.labels.pseudo_labels import Labels, landmarks
from training.mediapipe_points import list_pictures
from training.provenance.entry import (
    BACKGROUND,
    LABEL,
    PICTURE,
    Entry,
    manifest_of,
    write_manifest,
)
from training.provenance.networks import network_entries
from training.provenance.pictures import picture_entries
from training.provenance.rules import beside

logger = logging.getLogger(__name__)

# Below the first score a find counts as a face, below the second as nothing; in between nobody
# knows, and the place is left out of training.
FACE_SCORE, DOUBT_SCORE = 0.5, 0.15


@dataclass(frozen=True)
class BoxedPictures:
    """Boxes of pictures.

    Attributes
    ----------
    names : list of str
        Pictures, relative to their folder; also those without a face.
    faces, doubtful : list of ndarray, shape (n, 4)
        Boxes of each picture.
    """

    names: list[str]
    faces: list[FloatArray]
    doubtful: list[FloatArray]


def find_boxes(folder: Path, detector: Detector, landmarks: Path | None = None) -> BoxedPictures:
    """Run a detector over a folder; `detector` must report scores from `DOUBT_SCORE` up."""
    from tqdm import tqdm

    given = read_landmark_table(landmarks) if landmarks else {}
    names = list_pictures(folder)
    faces, doubtful = [], []
    for name in tqdm(names, desc="boxes", mininterval=5):
        found = detector(read_picture(folder / name))
        sure = found[found[:, 4] > FACE_SCORE, :4]
        known = [box_of_landmarks(points) for points in given.get(name, [])]
        faces.append(merge(np.array(known, np.float32).reshape(-1, 4), sure))
        doubtful.append(found[found[:, 4] <= FACE_SCORE, :4])
    return BoxedPictures(names, faces, doubtful)


def no_boxes(folder: Path) -> BoxedPictures:
    """Return the pictures of a folder that is known to hold no face."""
    names = list_pictures(folder)
    nothing = [np.zeros((0, 4), np.float32)] * len(names)
    return BoxedPictures(names, nothing, nothing)


def labelled_boxes(labels: Labels, model: MorphableModel) -> BoxedPictures:
    """Return face crops, each with the box of its labelled face."""
    points = landmarks(labels, model).transpose(0, 2, 1)
    boxes = [box_of_landmarks(face)[None, :4] for face in points]
    return BoxedPictures(labels.names.tolist(), boxes, [np.zeros((0, 4), np.float32)] * len(boxes))


def save_boxes(path: Path, pictures: BoxedPictures) -> None:
    """Write boxes as one table: picture, kind (1 face, 0 doubtful), corners."""
    rows = [
        (i, kind, *box)
        for kind, boxes in ((1, pictures.faces), (0, pictures.doubtful))
        for i, picture in enumerate(boxes)
        for box in picture.tolist()
    ]
    table = np.array(rows, np.float32).reshape(-1, 6)
    save_arrays(path, names=np.array(pictures.names), table=table)


def load_boxes(path: Path) -> BoxedPictures:
    """Read what `save_boxes` wrote."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            names, table = archive["names"].tolist(), archive["table"]
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"'{path}': expected an archive of training.detector.sources") from error
    split = [
        [table[(table[:, 0] == i) & (table[:, 1] == kind), 2:] for i in range(len(names))]
        for kind in (1, 0)
    ]
    return BoxedPictures(names, *split)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.detector.sources", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="folder of whole pictures")
    parser.add_argument("--out", type=Path, required=True, help="archive of the boxes")
    parser.add_argument("--landmarks", type=Path, help="landmarks68.csv of annotated faces")
    parser.add_argument("--empty", action="store_true", help="the pictures hold no face")
    parser.add_argument("--labels", type=Path, help="packed set made of these crops")
    parser.add_argument("--face-model", type=Path, default=Path("configs/face_model.npz"))
    parser.add_argument("--detector", help="weights (default: weights/FaceBoxesProd.pth)")
    parser.add_argument("--assets", help="asset folder (default: TDDFA_ASSETS)")
    args = parser.parse_args(argv)
    if sum(map(bool, (args.empty, args.landmarks, args.labels))) > 1:
        raise InputError("--empty, --landmarks, --labels: expected one of them")
    told_by: list[Entry] = []
    if args.empty:
        pictures = no_boxes(args.folder)
    elif args.labels:
        known = open_packed(args.labels)
        pictures = labelled_boxes(known.labels, load_face_model(args.face_model))
        told_by = [entry for entry in manifest_of([args.labels]) if entry.kind == LABEL]
    else:
        from FaceBoxes.detector import FaceBoxes

        detector = FaceBoxes(checkpoint_fp=args.detector, assets=args.assets, vis_thres=DOUBT_SCORE)
        pictures = find_boxes(args.folder, detector, args.landmarks)
        told_by = network_entries(Path(args.detector or "weights/FaceBoxesProd.pth"))
    save_boxes(args.out, pictures)
    if told_by or not args.labels:  # boxes of unknown origin get no manifest that hides it
        kind = BACKGROUND if args.empty else PICTURE
        entries = [*picture_entries(args.folder, pictures.names, kind), *told_by]
        write_manifest(beside(args.out), entries)
    logger.info("%d faces in %d pictures", sum(map(len, pictures.faces)), len(pictures.names))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
