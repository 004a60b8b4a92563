"""Look at what the pipeline makes of many pictures: landmarks and mesh, side by side.

``python -m training.gallery photos more/face.jpg --out runs/gallery.png``

Folders are searched for pictures; ``--held-out`` leaves out the crops that training may use,
``--count`` draws some at random. The sheet shows people: it belongs into ``runs/``, never into the
repository.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tddfa.arguments import add_model_arguments
from tddfa.cli import run_main
from tddfa.drawing.landmark_picture import cv_draw_landmark
from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.io.atomic import replacing
from tddfa.picture import ImageArray
from tddfa.pipelines import build_pipeline
from training.dataset.split import is_held_out_crop
from training.evaluation.benchmark_sets import read_picture
from training.mediapipe_points import list_pictures

logger = logging.getLogger(__name__)
LABEL = (cv2.FONT_HERSHEY_SIMPLEX, 0.4)


def tile(pipeline: FaceAligner, picture: ImageArray, name: str, side: int) -> ImageArray:
    """Return a picture with landmarks and one with the mesh, side by side, each `side` px."""
    picture = _fitted(picture, side, enlarge=True)  # marks are drawn on enough pixels
    faces = pipeline(picture)
    points = picture.copy()
    for face in faces:
        points = cv_draw_landmark(points, face.landmarks, size=1)
    mesh = pipeline.render(picture, faces, "3d")
    pair = np.zeros((side, 2 * side, 3), np.uint8)
    for left, drawn in ((0, points), (side, mesh)):
        small = _fitted(drawn, side, enlarge=False)
        pair[: small.shape[0], left : left + small.shape[1]] = small
    text = f"{name} {len(faces)}" + (f" {faces[0].score:.2f}" if faces else "")
    cv2.putText(pair, text, (4, side - 6), *LABEL, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(pair, text, (4, side - 6), *LABEL, (255, 255, 255), 1, cv2.LINE_AA)
    return pair


def _fitted(picture: ImageArray, side: int, *, enlarge: bool) -> ImageArray:
    """Return a picture scaled so that its longer side is `side`, in one direction alone."""
    zoom = side / max(picture.shape[:2])
    if (zoom > 1 and not enlarge) or (zoom < 1 and enlarge):
        return picture
    size = tuple(max(1, round(zoom * length)) for length in picture.shape[1::-1])
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def find_pictures(given: Sequence[Path], held_out: bool) -> list[Path]:
    """Return the pictures named, and those in the folders named."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            names = list_pictures(path)
            found += [
                path / n
                for n in names
                if not held_out or is_held_out_crop((path.resolve() / n).as_posix())
            ]
        else:
            found.append(path)
    if not found:
        raise InputError("pictures: expected at least one")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.gallery",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("pictures", nargs="+", type=Path, help="pictures, or folders of them")
    add("--out", type=Path, required=True, help="sheet to write (.png)")
    add("--held-out", action="store_true", help="of folders, held-out crops alone")
    add("--count", type=int, default=32, help="so many at random, if there are more (%(default)s)")
    add("--columns", type=int, default=4)
    add("--side", type=int, default=220, help="of a picture, pixels (%(default)s)")
    add("--seed", type=int, default=0)
    add_model_arguments(parser)
    args = parser.parse_args(argv)
    paths = find_pictures(args.pictures, args.held_out)
    if len(paths) > args.count:
        chosen = np.random.default_rng(args.seed).choice(len(paths), args.count, replace=False)
        paths = [paths[i] for i in np.sort(chosen)]
    pipeline = build_pipeline(args)
    tiles = [tile(pipeline, read_picture(p), f"{p.parent.name}/{p.stem}", args.side) for p in paths]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % args.columns)
    rows = [np.hstack(tiles[i : i + args.columns]) for i in range(0, len(tiles), args.columns)]
    with replacing(args.out) as temporary:
        cv2.imwrite(str(temporary), np.vstack(rows))
    logger.info("%d pictures in %s", len(paths), args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
