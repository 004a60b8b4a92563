"""Places of whole photos where a detector sees a face, or might: what the face check judges.

``python -m training.face_check.candidates ../shared/scenes/images --boxes scenes.npz --landmarks
../shared/scenes/landmarks68.csv --detectors weights/FaceBoxesTurned.pth --rolled --out
data/candidates/scenes``

A picture gives all that the detectors report from a score of 0.1 on, squares beside its faces, and
squares anywhere. Each is cut out as `training.prepare` cuts faces out, 168 px of which the middle
120 are the ROI. What overlaps a known face well is a face, what overlaps nothing known is none, and
what lies in between is left out. Held-out pictures are left out.

::

    +---------------+
    |  +---------+  |     the middle: the ROI of the box that was found
    |  |   +-------+|     the square: the ROI of the face that is there
    |  |   |  face ||
    +--|---|  ...  |+
"""

import argparse
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from FaceBoxes.detector import FaceBoxes
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from tddfa.roi import crop_img, parse_roi_box_from_bbox
from training.dataset.batch import CANVAS, INPUT
from training.dataset.split import is_held_out_picture
from training.detector.boxes import FloatArray, box_of_landmarks, overlaps
from training.detector.picture import Picture
from training.detector.sources import BoxedPictures, load_boxes
from training.detector.trials import roll_whole
from training.evaluation.benchmark_sets import Detector, read_picture
from training.face_check.squares import roi_squares
from training.labels.annotation_table import read_landmark_table
from training.provenance.entry import manifest_of, write_manifest
from training.provenance.networks import network_entries
from training.provenance.rules import beside

logger = logging.getLogger(__name__)

LEAST_SCORE = 0.1
# Intersection over union of boxes from which on it is the face, and up to which it is none.
SAME, NONE = 0.45, 0.2
# At most so many finds and squares of a picture.
MOST_FINDS, BESIDE, ANYWHERE = 14, 1, 2


@dataclass(frozen=True)
class Candidates:
    """Places of whole pictures.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
        Their pictures.
    images : ndarray, shape (n, 168, 168, 3), uint8
        What lies there and around.
    face : ndarray, shape (n,), bool
        Whether there is a face.
    squares : ndarray, shape (n, 3), float32
        Center (x, y, pixels between edges, y down) and side of the face's ROI; NaN where unknown.
    score : ndarray, shape (n,), float32
        The detector's; NaN for squares that none reported.
    """

    names: npt.NDArray[np.str_]
    images: npt.NDArray[np.uint8]
    face: npt.NDArray[np.bool_]
    squares: FloatArray
    score: FloatArray

    def __len__(self) -> int:
        return len(self.names)


def find_candidates(
    folder: Path,
    known: BoxedPictures,
    detectors: Sequence[Detector],
    landmarks: Mapping[str, Iterable[npt.ArrayLike]],
    rolled: bool = False,
    seed: int = 0,
) -> Candidates:
    """Return the candidates of the pictures that are not held out.

    Parameters
    ----------
    folder : Path
    known : BoxedPictures
        Faces and doubtful places of the folder's pictures.
    detectors : sequence of callable
        Must report scores from `LEAST_SCORE` up.
    landmarks : mapping
        Annotated faces (2, 68) by picture.
    rolled : bool
        Look at each picture once more, rolled by any angle.
    """
    from tqdm import tqdm

    parts: dict[str, list] = {field.name: [] for field in fields(Candidates)}
    pictures = list(zip(known.names, known.faces, known.doubtful, strict=True))
    for i, (name, faces, doubtful) in enumerate(tqdm(pictures, desc="candidates", mininterval=5)):
        if is_held_out_picture(name):
            continue
        generator = np.random.default_rng((seed, i))
        upright = _known(read_picture(folder / name), faces, doubtful, landmarks.get(name, []))
        views = [upright]
        if rolled:
            views.append(roll_whole(upright, float(generator.uniform(-180, 180))))
        for view in views:
            for image, *values in _of_picture(view, detectors, generator):
                row = (name, image, *values)
                for field, value in zip(fields(Candidates), row, strict=True):
                    parts[field.name].append(value)
    if not parts["names"]:
        raise InputError(f"'{folder}': expected pictures that are not held out")
    return Candidates(
        np.array(parts["names"]),
        np.array(parts["images"], np.uint8),
        np.array(parts["face"], bool),
        *(np.array(parts[key], np.float32) for key in ("squares", "score")),
    )


def save_candidates(path: Path, candidates: Candidates) -> None:
    """Write candidates as an archive."""
    save_arrays(path, **{f.name: getattr(candidates, f.name) for f in fields(candidates)})


def load_candidates(path: Path) -> Candidates:
    """Read what `save_candidates` wrote."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return Candidates(*(archive[field.name] for field in fields(Candidates)))
    except (OSError, KeyError, ValueError) as error:
        message = f"'{path}': expected an archive of training.face_check.candidates"
        raise InputError(message) from error


def _known(
    image: npt.NDArray[np.uint8],
    faces: FloatArray,
    doubtful: FloatArray,
    points: Iterable[npt.ArrayLike],
) -> Picture:
    """Put the boxes of annotated faces in place of those that a detector drew on them."""
    own = np.array([box_of_landmarks(p) for p in points], np.float32).reshape(-1, 4)
    others = faces[overlaps(faces, own).max(axis=1, initial=0) < SAME]
    return Picture(image, np.concatenate([own, others]), doubtful)


def _of_picture(
    picture: Picture, detectors: Sequence[Detector], generator: np.random.Generator
) -> Iterator[tuple]:
    """Yield image, face, square, score of each candidate that can be judged."""
    for box in _places(picture, detectors, generator):
        overlap = overlaps(box[None, :4], picture.faces)[0]
        doubt = overlaps(box[None, :4], picture.doubtful)[0].max(initial=0)
        best = int(overlap.argmax()) if len(overlap) else -1
        is_face = best >= 0 and overlap[best] >= SAME
        if not is_face and max(overlap.max(initial=0), doubt) > NONE:
            continue
        roi = parse_roi_box_from_bbox(box)
        if roi[2] - roi[0] < 8:
            continue
        image, zoom, corner = cut_out(picture.image, roi)
        square = np.full(3, np.nan)
        if is_face:
            x, y, side = roi_squares(picture.faces[best : best + 1])[0]
            square = np.array([(x - corner[0]) * zoom, (y - corner[1]) * zoom, side * zoom])
        yield image, is_face, square, box[4]


def cut_out(
    picture: npt.NDArray[np.uint8], roi: Sequence[float]
) -> tuple[npt.NDArray[np.uint8], float, tuple[float, float]]:
    """Cut a ROI out with its margin; return it, its pixels per pixel, and its corner."""
    margin = (roi[2] - roi[0]) * (CANVAS / INPUT - 1) / 2
    left, top = round(roi[0] - margin), round(roi[1] - margin)
    side = max(1, round(roi[2] - roi[0] + 2 * margin))
    crop = crop_img(picture, [left, top, left + side, top + side])
    way = cv2.INTER_AREA if side > CANVAS else cv2.INTER_LINEAR
    image = cv2.resize(crop, (CANVAS, CANVAS), interpolation=way)
    return np.asarray(image, np.uint8), CANVAS / side, (left, top)


def _places(
    picture: Picture, detectors: Sequence[Detector], generator: np.random.Generator
) -> FloatArray:
    """Return the boxes to look at with the detector's score, NaN for those of our own."""
    found = [detector(picture.image)[:MOST_FINDS] for detector in detectors]
    own = []
    height, width = picture.image.shape[:2]
    for left, top, right, bottom in picture.faces.tolist() * BESIDE:
        size = np.array([right - left, bottom - top]) * np.exp(generator.uniform(-0.5, 0.5))
        angle, way = generator.uniform(0, 2 * np.pi), generator.uniform(0.6, 1.2)
        middle = np.array([left + right, top + bottom]) / 2
        middle += way * size.mean() * np.array([np.cos(angle), np.sin(angle)])
        own.append([*(middle - size / 2), *(middle + size / 2), np.nan])
    for _ in range(ANYWHERE):
        side = min(height, width) * np.exp(generator.uniform(np.log(0.05), 0))
        half = side * np.array([0.43, 0.57]) / 1.0
        middle = generator.uniform(0, 1, 2) * (width, height)
        own.append([*(middle - half), *(middle + half), np.nan])
    return np.concatenate([*found, np.array(own, np.float32).reshape(-1, 5)]).astype(np.float32)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.face_check.candidates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="folder of whole pictures")
    parser.add_argument("--boxes", type=Path, required=True, help="of training.detector.sources")
    parser.add_argument("--landmarks", type=Path, help="landmarks68.csv of annotated faces")
    parser.add_argument(
        "--detectors", type=Path, nargs="+", required=True, help="their weights (.pth)"
    )
    parser.add_argument("--rolled", action="store_true", help="each picture once more, rolled")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="archive (.npz)")
    args = parser.parse_args(argv)
    detectors = [FaceBoxes(checkpoint_fp=p, vis_thres=LEAST_SCORE) for p in args.detectors]
    landmarks = read_landmark_table(args.landmarks) if args.landmarks else {}
    found = find_candidates(
        args.folder, load_boxes(args.boxes), detectors, landmarks, args.rolled, args.seed
    )
    save_candidates(args.out, found)
    told_by = [entry for path in args.detectors for entry in network_entries(path)]
    write_manifest(beside(args.out), [*manifest_of([beside(args.boxes)]), *told_by])
    logger.info("%d candidates, %d of them faces", len(found), int(found.face.sum()))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
