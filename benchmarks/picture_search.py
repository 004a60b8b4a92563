"""What it costs to search a still picture at a second scale, and turned.

``python -m benchmarks.picture_search`` searches the portrait of the examples as it is, as it lies
on its side, sixteen small ones, and a part of it without a face, without and with the regressor
that is asked in doubt, all by turns on one thread, and prints the fastest and the median time of
each way.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from FaceBoxes.tiles import detect_faces
from tddfa.arguments import positive_int
from tddfa.assets import project_root
from tddfa.cli import run_main
from tddfa.detectors.faceboxes_two_scales import TwoScales
from tddfa.face_aligner import FaceAligner
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.face_check.mirror_agreement import MirrorAgreement
from tddfa.io.pictures import imread
from tddfa.params import FloatArray
from tddfa.picture_search import find_faces

SIDE = 512


def ways(weights: str) -> dict[str, Callable[[], FloatArray]]:
    """Return the searches by name."""
    portrait = imread(project_root() / "examples" / "inputs" / "astronaut.png")
    lying = np.ascontiguousarray(np.rot90(portrait))
    empty = np.asarray(cv2.resize(portrait[300:500, :200], (SIDE, SIDE)), np.uint8)
    quarter = np.asarray(
        cv2.resize(portrait, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), np.uint8
    )
    crowd = np.tile(quarter, (4, 4, 1))
    aligner = FaceAligner(weights, threads=1)
    checked = aligner.detector
    assert isinstance(checked, CheckedDetector)
    doubtful = checked.asking(MirrorAgreement(aligner.aligner))
    network = checked.detector
    found: dict[str, Callable[[], FloatArray]] = {}
    if isinstance(network, TwoScales):
        single = network.detector
        found["portrait, detector at one scale"] = lambda: single.detect(portrait)
    return found | {
        "portrait, detector alone": lambda: network.detect(portrait),
        "portrait, as it lies": lambda: detect_faces(checked, portrait),
        "portrait, at another scale and turned where needed": lambda: find_faces(checked, portrait),
        "portrait, the regressor asked in doubt as well": lambda: find_faces(doubtful, portrait),
        "portrait on its side": lambda: find_faces(checked, lying),
        "portrait on its side, the regressor asked": lambda: find_faces(doubtful, lying),
        "sixteen small ones, as they are": lambda: detect_faces(checked, crowd),
        "sixteen small ones, finer as well": lambda: find_faces(checked, crowd),
        "sixteen small ones, the regressor asked": lambda: find_faces(doubtful, crowd),
        "no face, as it is": lambda: detect_faces(checked, empty),
        "no face, at all scales and turned": lambda: find_faces(checked, empty),
        "no face, the regressor asked": lambda: find_faces(doubtful, empty),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table for the default and one for the free weights."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.picture_search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=positive_int, default=25, help="(%(default)s)")
    args = parser.parse_args(argv)
    for weights in ("default", "free"):
        searches = ways(weights)
        times: dict[str, list[float]] = {name: [] for name in searches}
        for round_ in range(args.rounds + 1):  # the first one warms up
            for name, search in searches.items():
                begin = time.perf_counter()
                search()
                if round_:
                    times[name].append(1e3 * (time.perf_counter() - begin))
        print(f"| {weights}, {SIDE}x{SIDE} | ms, fastest (median) |\n|---|---|")
        for name, values in times.items():
            print(f"| {name} | {min(values):.1f} ({statistics.median(values):.1f}) |")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
