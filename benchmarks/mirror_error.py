"""How the error of landmarks grows with how far a face and its mirror image are read apart.

``python -m benchmarks.mirror_error --aflw ../shared/aflw2000_val199`` aligns the faces of a set
with ground truth at its own ROIs and prints the rank correlation of `tddfa.Face.mirror_error` with
the NME, and the NME of the faces by rising mirror error.
"""

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from tddfa.cli import run_main
from tddfa.face_aligner import FaceAligner
from tddfa.roi import network_input
from training.evaluation.benchmark_sets import load_ground_truth, read_picture
from training.evaluation.metrics import box_size

# Parts of the faces, from the smallest mirror error to the largest.
PARTS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mirror_error",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--aflw", type=Path, required=True, help="images/ and ground_truth.npz")
    parser.add_argument("-c", "--config", default="default", help="configuration or its name")
    args = parser.parse_args(argv)
    from scipy.stats import spearmanr

    faces = load_ground_truth(args.aflw)
    aligner = FaceAligner(args.config, threads=1).picture_aligner
    errors, apart = [], []
    sizes = box_size(faces.points)
    for path, roi, truth, size in zip(faces.paths, faces.rois, faces.points, sizes, strict=True):
        seen = aligner.regress_all(network_input(read_picture(path), [roi.tolist()], aligner.size))
        assert seen.mirror_errors is not None
        points = aligner.recon_vers(list(seen.params), [roi.tolist()])[0]
        errors.append(np.linalg.norm(points[:2] - truth[:2], axis=0).mean() / size * 100)
        apart.append(seen.mirror_errors[0])
    nme, mirror = np.array(errors), np.array(apart)
    print(f"{len(nme)} faces, rank correlation {spearmanr(mirror, nme)[0]:.2f}")
    order = np.argsort(mirror)
    for low, high in pairwise(PARTS):
        part = order[round(low * len(order)) : round(high * len(order))]
        print(
            f"{low:.2f} to {high:.2f} of them, mirror error {mirror[part].min():.3f} to "
            f"{mirror[part].max():.3f}: NME {nme[part].mean():.2f} %"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
