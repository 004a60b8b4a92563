"""What blendshapes cost a face, and how still they are on a face that stands still.

    python -m benchmarks.blendshapes

The regressor with and without its second head, alternating on the same crop, one thread; then the
portrait as a video whose frames differ by sensor noise (deviation in gray levels of 255) and by
half a pixel of shaking, through the tracker.
"""

import argparse
import time
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from tddfa import FaceAligner
from tddfa.arguments import positive_int
from tddfa.assets import DEFAULT_CONFIG
from tddfa.cli import run_main
from tddfa.io.pictures import imread
from tddfa.picture import ImageArray
from tddfa.roi import network_input
from tddfa.runtime import Precision
from tddfa.tracking.follow import Smooth

PICTURE = "examples/inputs/astronaut.png"
NOISE, SHAKE = 4.0, 0.25


def cost(config: str, precision: Precision, rounds: int, faces: int) -> str:
    """Return times a face without and with the head, minimum and median of alternating rounds."""
    image = imread(PICTURE)
    pair = [
        FaceAligner(config, threads=1, precision=precision, blendshapes=asked)
        for asked in (False, True)
    ]
    roi = pair[0].detect(image)[0].roi_box
    crops = network_input(image, [roi] * faces)
    seconds = np.zeros((2, rounds))
    for number in range(rounds):
        for which, aligner in enumerate(pair):
            start = time.perf_counter()
            aligner.aligner.forward_all(crops)
            seconds[which, number] = time.perf_counter() - start
    least, median = (1e3 / faces * f(seconds, axis=1) for f in (np.min, np.median))
    return (
        f"{config}, {precision}, {faces} at once: best {least[0]:.2f} -> {least[1]:.2f} ms a face, "
        f"median {median[0]:.2f} -> {median[1]:.2f}"
    )


def still(count: int, seed: int = 0) -> Iterator[ImageArray]:
    """Yield the portrait with fresh noise in each frame, shaken a little."""
    rng = np.random.default_rng(seed)
    image = imread(PICTURE)
    height, width = image.shape[:2]
    for _ in range(count):
        shift = np.eye(2, 3, dtype=np.float32)
        shift[:, 2] = rng.normal(0, SHAKE, 2)
        moved = cv2.warpAffine(image, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noisy = moved + rng.normal(0, NOISE, moved.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def stillness(aligner: FaceAligner, smooth: Smooth, count: int) -> str:
    """Return how far any coefficient moves between two frames of a face that stands still."""
    rows = [
        np.asarray(frame.faces[0].blendshapes)
        for frame in aligner.track(still(count), smooth=smooth, fps=25)
        if frame.faces
    ]
    steps = np.abs(np.diff(np.stack(rows), axis=0))
    return (
        f"still face, {smooth}: largest step {steps.max():.3f}, "
        f"99 % of the steps {np.percentile(steps, 99):.3f}, mean {steps.mean():.4f}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.blendshapes", description=__doc__)
    add = parser.add_argument
    add("-c", "--config", nargs="+", default=[DEFAULT_CONFIG], help="(%(default)s)")
    add("--precision", nargs="+", default=["float32", "int8"], help="(%(default)s)")
    add("--rounds", type=positive_int, default=200, help="(%(default)s)")
    add("--frames", type=positive_int, default=100, help="(%(default)s)")
    args = parser.parse_args(argv)
    for config in args.config:
        for precision in args.precision:
            for faces in (1, 8):
                print(cost(config, precision, args.rounds, faces))
            aligner = FaceAligner(config, precision=precision, blendshapes=True, threads=1)
            for smooth in ("none", "mean", "one_euro"):
                print(f"  {stillness(aligner, smooth, args.frames)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
