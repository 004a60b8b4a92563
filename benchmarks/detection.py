"""What searching a picture costs: the detector of videos, and that of pictures with its check.

    python -m benchmarks.detection --size 512x512 1080x525

The portrait in the middle of pictures of these sizes, in alternating rounds in one process, one
thread each; fastest and median in milliseconds, and by how much the check makes it longer.
"""

import argparse
import re
import sys
import time
from collections.abc import Sequence

import cv2
import numpy as np

from tddfa.arguments import positive_int
from tddfa.cli import run_main
from tddfa.face_aligner import FaceAligner
from tddfa.io.pictures import imread
from tddfa.picture import ImageArray

PICTURE = "examples/inputs/astronaut.png"


def picture_of(width: int, height: int) -> ImageArray:
    """Return the portrait, as large as fits, on gray."""
    portrait = imread(PICTURE)
    side = min(width, height)
    out = np.full((height, width, 3), 128, np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    out[top : top + side, left : left + side] = cv2.resize(portrait, (side, side))
    return out


def rounds(aligner: FaceAligner, image: ImageArray, count: int) -> np.ndarray:
    """Return seconds (2, count): the detector of videos alone, that of pictures."""
    seconds = np.zeros((2, count))
    detectors = (aligner.tracking_detector, aligner.detector)
    for number in range(-3, count):  # the first ones warm up
        for which, detector in enumerate(detectors):
            start = time.perf_counter()
            detector.detect(image)
            if number >= 0:
                seconds[which, number] = time.perf_counter() - start
    return seconds


def size(text: str) -> tuple[int, int]:
    """Parse WIDTHxHEIGHT, for argparse."""
    found = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, got {text!r}")
    return int(found[1]), int(found[2])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", nargs="+", type=size, default=[(512, 512), (1080, 525)])
    parser.add_argument("--rounds", type=positive_int, default=60, help="(%(default)s)")
    parser.add_argument("-c", "--config", default="configs/mb1_120x120.yml", help="(%(default)s)")
    args = parser.parse_args(argv)
    aligner = FaceAligner(args.config, threads=1)
    for width, height in args.size:
        seconds = 1e3 * rounds(aligner, picture_of(width, height), args.rounds)
        (alone, with_check), (usual, usual_with) = seconds.min(axis=1), np.median(seconds, axis=1)
        print(
            f"{width}x{height}: videos {alone:.2f} ({usual:.2f}) ms, pictures {with_check:.2f} "
            f"({usual_with:.2f}) ms, {with_check / alone:.2f} times as long"
        )
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
