"""Places that a detector takes for faces, to be shown to it again and again.

``python -m training.detector.decoys runs/fb/weights.pth ../shared/negatives --boxes negatives.npz
--out decoys.npz``

Pictures without a face hold few things that look like one, mostly animals: drawn evenly, training
hardly meets them. What overlaps a known face or a doubtful place is no decoy, and held-out pictures
are left out.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from FaceBoxes.detector import FaceBoxes
from tddfa.cli import run_main
from training.dataset.split import is_held_out_picture
from training.detector.boxes import FloatArray, overlaps
from training.detector.sources import BoxedPictures, load_boxes, save_boxes
from training.evaluation.benchmark_sets import Detector, read_picture
from training.provenance.entry import manifest_of, write_manifest
from training.provenance.networks import network_entries
from training.provenance.rules import beside

logger = logging.getLogger(__name__)
LEAST_SCORE = 0.1
MOST_OVERLAP = 0.1


def find_decoys(folder: Path, known: BoxedPictures, detector: Detector) -> BoxedPictures:
    """Return the pictures with decoys, those as their `faces`.

    Parameters
    ----------
    folder : Path
    known : BoxedPictures
        True faces and doubtful places of the folder's pictures.
    detector : callable
        Must report scores from `LEAST_SCORE` up.
    """
    from tqdm import tqdm

    found: list[tuple[str, FloatArray]] = []
    pictures = list(zip(known.names, known.faces, known.doubtful, strict=True))
    for name, faces, doubtful in tqdm(pictures, desc="decoys", mininterval=5):
        if is_held_out_picture(name):
            continue
        boxes = detector(read_picture(folder / name))
        places = np.concatenate([faces, doubtful])
        nearest = overlaps(boxes[:, :4], places).max(axis=1, initial=0)
        decoys = boxes[(boxes[:, 4] >= LEAST_SCORE) & (nearest <= MOST_OVERLAP), :4]
        if len(decoys):
            found.append((name, decoys.astype(np.float32)))
    nothing = [np.zeros((0, 4), np.float32)] * len(found)
    return BoxedPictures([name for name, _ in found], [boxes for _, boxes in found], nothing)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.detector.decoys", description=__doc__)
    parser.add_argument("weights", type=Path, help="detector (.pth)")
    parser.add_argument("folder", type=Path, help="folder of whole pictures")
    parser.add_argument("--boxes", type=Path, required=True, help="what is known of their faces")
    parser.add_argument("--out", type=Path, required=True, help="archive of the decoys")
    args = parser.parse_args(argv)
    detector = FaceBoxes(checkpoint_fp=args.weights, vis_thres=LEAST_SCORE)
    decoys = find_decoys(args.folder, load_boxes(args.boxes), detector)
    save_boxes(args.out, decoys)
    write_manifest(
        beside(args.out), [*manifest_of([beside(args.boxes)]), *network_entries(args.weights)]
    )
    logger.info("%d decoys in %d pictures", sum(map(len, decoys.faces)), len(decoys.names))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
