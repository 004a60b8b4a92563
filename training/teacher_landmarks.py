"""68 points of face crops by an existing network, to doubt labels with.

``python -m training.teacher_landmarks data/crops -c configs/mb1_120x120.yml --out data/second.npz``

Another method's errors fall elsewhere: where both disagree, one is wrong, and the crop is left out.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from training.evaluation.predict import open_aligner
from training.mediapipe_points import list_pictures

logger = logging.getLogger(__name__)
BATCH = 64


@dataclass(frozen=True)
class SecondOpinion:
    """Landmarks of n crops.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
    points : ndarray, shape (n, 3, 68), float32
        Pixels of the crop, centers at integers, y down.
    """

    names: npt.NDArray[np.str_]
    points: npt.NDArray[np.float32]


def load_second_opinion(path: Path) -> SecondOpinion:
    """Read what `main` wrote."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return SecondOpinion(archive["names"], archive["points"])
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"'{path}': expected an archive of training.teacher_landmarks") from error


def ask(aligner: Aligner, crops: Path, margin: float = 1.4) -> SecondOpinion:
    """Predict the landmarks of all crops of a folder, `margin` times larger than their ROI."""
    from tqdm import tqdm

    names = list_pictures(crops)
    points = []
    for first in tqdm(range(0, len(names), BATCH), desc="second opinion", mininterval=5):
        batch, rois = [], []
        for name in names[first : first + BATCH]:
            crop = cv2.imread(str(crops / name))
            if crop is None:
                raise InputError(f"'{crops / name}': expected a readable picture")
            side = crop.shape[0]
            edge = round(side * (1 - 1 / margin) / 2)
            inner = crop[edge : side - edge, edge : side - edge]
            batch.append(cv2.resize(inner, (aligner.size, aligner.size)).transpose(2, 0, 1))
            rois.append([edge, edge, side - edge, side - edge])
        output = aligner.forward(
            (np.stack(batch).astype(np.float32) - np.float32(127.5)) / np.float32(128)
        )
        points += aligner.recon_vers(list(aligner.scale.denormalize(output)), rois)
    return SecondOpinion(np.array(names), np.stack(points))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.teacher_landmarks", description=__doc__
    )
    parser.add_argument("crops", type=Path, help="folder of square face crops")
    parser.add_argument("-c", "--config", default="configs/mb1_120x120.yml")
    parser.add_argument("--assets", help="asset folder (default: TDDFA_ASSETS)")
    parser.add_argument("--out", type=Path, required=True, help="archive of the landmarks")
    args = parser.parse_args(argv)
    found = ask(open_aligner(args.config, assets=args.assets), args.crops)
    save_arrays(args.out, names=found.names, points=found.points)
    logger.info("%d crops, wrote %s", len(found.names), args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
