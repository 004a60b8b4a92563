"""Draw the strip of docs/video.md: a portrait that pans, zooms and tilts, tracked as video is.

python -m docs.make_video_figure --onnx
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from tddfa.arguments import add_model_arguments
from tddfa.cli import run_main
from tddfa.frame import Frame
from tddfa.io.pictures import imread, imwrite
from tddfa.picture import ImageArray
from tddfa.pipelines import build_pipeline
from tddfa.tracking.live_smoothing import smooth_one_euro
from tddfa.tracking.tracker import FaceTracker
from tddfa.video.outputs import FrameDrawer

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images" / "video" / "strip.jpg"
COLUMNS, TILE = 5, 240


def moved(portrait: ImageArray, time: float) -> ImageArray:
    """Return the portrait as a hand-held camera would see it after `time` seconds."""
    scale = 1.3 + 0.3 * np.sin(1.3 * time)
    matrix = cv2.getRotationMatrix2D((220, 130), 16 * np.sin(1.1 * time), scale)
    matrix[:, 2] += 20 + 50 * np.sin(0.9 * time), 15 + 15 * np.sin(1.9 * time)
    return np.asarray(
        cv2.warpAffine(portrait, matrix, (480, 400), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Write the strip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--options", nargs=2, default=["2d_sparse", "pose"], metavar="OPT")
    add_model_arguments(parser)
    args = parser.parse_args(argv)
    pipeline = build_pipeline(args)
    tracker = FaceTracker(pipeline.detector, pipeline.aligner)
    portrait = imread(ROOT / "examples" / "inputs" / "astronaut.png")
    frames = []
    for number in range(125):
        image = moved(portrait, number / 25)
        frames.append(Frame(number, number / 25, image, tracker(image), number == 0, number))
    shown = list(smooth_one_euro(frames, pipeline.aligner))[24 :: 100 // (COLUMNS - 1)]
    rows = []
    for option in args.options:
        draw = FrameDrawer(option, labels=option == "2d_sparse")
        tiles = [draw(replace(frame, image=frame.image.copy())) for frame in shown[:COLUMNS]]
        size = (TILE, TILE * 400 // 480)
        rows.append(np.hstack([cv2.resize(t, size, interpolation=cv2.INTER_AREA) for t in tiles]))
    imwrite(TARGET, np.vstack(rows), quality=88)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
