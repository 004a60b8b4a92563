"""Draw the README's pictures: what ``demo.py -o all`` makes of the astronaut, and other faces.

python -m docs.make_readme_figure --onnx
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from docs.make_readme_animation import Avatar
from tddfa.arguments import add_model_arguments
from tddfa.cli import run_main
from tddfa.face_aligner import FaceAligner
from tddfa.io.pictures import imread, imwrite
from tddfa.picture import ImageArray
from tddfa.pipelines import build_pipeline

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images" / "readme" / "astronaut.jpg"
PANELS = ("2d_sparse", "2d_dense", "3d", "pose", "depth", "pncc", "uv_tex")
COLUMNS, TILE = 5, 240
OTHERS = ROOT / "docs" / "images" / "readme" / "others.jpg"
GRAY = 190
HEAD = (slice(0, 230), slice(105, 335))


def label(picture: ImageArray, text: str) -> ImageArray:
    """Return a tile of a picture with its output's name."""
    tile = cv2.resize(picture, (TILE, TILE), interpolation=cv2.INTER_AREA)
    for color, shift in (((0, 0, 0), 1), ((255, 255, 255), 0)):
        at = (8 + shift, 22 + shift)
        cv2.putText(tile, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, color, 1, cv2.LINE_AA)
    return np.asarray(tile, np.uint8)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    args = parser.parse_args(argv)
    pipeline = build_pipeline(args)
    image = imread(ROOT / "examples" / "inputs" / "astronaut.png")
    faces = pipeline(image)
    shown = [("", image[HEAD])]
    for option in PANELS:
        drawn = FaceAligner.render(image, faces, option)
        shown.append((option, drawn if option == "uv_tex" else drawn[HEAD]))
    avatar = Avatar(image, faces[0])
    shown.append(("obj, glb", avatar(-35, 0)))
    avatar.texture[:] = GRAY
    shown.append(("ply", avatar(35, 0)))
    tiles = [label(picture, text) for text, picture in shown]
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    imwrite(TARGET, np.vstack(rows), quality=90)

    others = []
    for name, option in (("group", "3d"), ("profile", "pose"), ("closed_eyes", "2d_sparse")):
        image = imread(ROOT / "examples" / "inputs" / f"{name}.jpg")
        picture = FaceAligner.render(image, pipeline(image), option)
        width = round(TILE * picture.shape[1] / picture.shape[0])
        others.append(cv2.resize(picture, (width, TILE), interpolation=cv2.INTER_AREA))
    imwrite(OTHERS, np.hstack(others), quality=88)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
