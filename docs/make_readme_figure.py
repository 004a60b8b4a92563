"""Draw the README's picture: what ``demo.py -o all`` makes of the astronaut.

python -m docs.make_readme_figure --onnx
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tddfa.arguments import add_model_arguments, build_pipeline
from tddfa.cli import run_main
from tddfa.face_aligner import FaceAligner
from tddfa.io.pictures import imread, imwrite

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images" / "readme" / "astronaut.jpg"
PANELS = ("2d_sparse", "2d_dense", "3d", "pose", "depth", "pncc", "uv_tex")
COLUMNS, TILE = 4, 240
HEAD = (slice(0, 230), slice(105, 335))


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
    shown = [image[HEAD]]
    for option in PANELS:
        drawn = FaceAligner.render(image, faces, option)
        shown.append(drawn if option == "uv_tex" else drawn[HEAD])
    tiles = [cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_AREA) for tile in shown]
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    imwrite(TARGET, np.vstack(rows), quality=90)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
