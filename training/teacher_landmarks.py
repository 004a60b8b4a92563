"""68 points of face crops by existing networks: an opinion to fit labels to, or to doubt them with.

``python -m training.teacher_landmarks data/crops -c configs/mb1_120x120.yml --out data/second.npz``

Another method's errors fall elsewhere: where both disagree, one is wrong. Several networks
(``-c a.yml b.yml``) give the mean of their points and how far they are apart; ``--views 6`` looks
at each crop six times, with ROIs that are moved, scaled and mirrored. Where ``--out`` is a folder
(no suffix), a run that is cut short goes on, and several processes may share the work
(``--part 0/2`` and ``--part 1/2``).
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.cli import run_main
from tddfa.config import load_config
from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from training.dataset.shards import Shards, in_order, parse_part
from training.evaluation.benchmark_sets import read_picture
from training.evaluation.metrics import box_size
from training.evaluation.predict import open_aligner
from training.labels.roi_views import check_views, mean_of_views
from training.mediapipe_points import list_pictures
from training.provenance.entry import write_manifest
from training.provenance.networks import network_entries
from training.provenance.rules import beside

logger = logging.getLogger(__name__)
BATCH = 32
KIND = "second"  # of the shards


@dataclass(frozen=True)
class SecondOpinion:
    """Landmarks of n crops.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
    points : ndarray, shape (n, 3, 68), float32
        Pixels of the crop, centers at integers, y down.
    spread : ndarray, shape (n,), float32, or None
        How far several networks are apart: mean distance of each one's points from the mean, in
        percent of the root of the box's area.
    """

    names: npt.NDArray[np.str_]
    points: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32] | None = None


def load_second_opinion(path: Path) -> SecondOpinion:
    """Read what `main` wrote, an archive or a folder of them."""
    if path.is_dir():
        shards = Shards(path, KIND)
        if not shards.paths:
            raise InputError(
                f"'{path}': expected {KIND}_*.npz, run training.teacher_landmarks first"
            )
        spread = shards.read("spread") if shards.holds("spread") else None
        return SecondOpinion(shards.read("names"), shards.read("points"), spread)
    try:
        with np.load(path, allow_pickle=False) as archive:
            spread = archive.get("spread")
            return SecondOpinion(archive["names"], archive["points"], spread)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"'{path}': expected an archive of training.teacher_landmarks") from error


def ask(
    aligners: Sequence[Aligner], crops: Path, names: Sequence[str], views: int = 1
) -> SecondOpinion:
    """Predict the landmarks of crops that are 1.4 times larger than their ROI.

    Parameters
    ----------
    aligners : sequence of Aligner
    crops : Path
        Folder of square crops.
    names : sequence of str
        Paths below it.
    views : int
        See `roi_views.mean_of_views`.
    """
    from tqdm import tqdm

    points, spread = [], []
    for first in tqdm(range(0, len(names), BATCH), desc="second opinion", mininterval=5):
        pictures = [read_picture(crops / name) for name in names[first : first + BATCH]]
        for group in _of_one_size(pictures):
            each = np.stack([mean_of_views(aligner, group, views) for aligner in aligners])
            mean = each.mean(axis=0)
            away = np.linalg.norm((each - mean)[:, :, :2], axis=2).mean(axis=(0, 2))
            points.append(mean)
            spread.append(100 * away / box_size(mean))
    return SecondOpinion(
        np.array(names, str),
        np.concatenate([np.empty((0, 3, 68)), *points]).astype(np.float32),
        np.concatenate([np.empty(0), *spread]).astype(np.float32) if len(aligners) > 1 else None,
    )


def _of_one_size(pictures: list) -> list[list]:
    """Split a list where the pictures' size changes."""
    groups: list[list] = []
    for picture in pictures:
        if not groups or groups[-1][0].shape != picture.shape:
            groups.append([])
        groups[-1].append(picture)
    return groups


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.teacher_landmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("crops", type=Path, help="folder of square face crops")
    parser.add_argument("-c", "--config", nargs="+", default=["configs/mb1_120x120.yml"])
    parser.add_argument("--assets", help="asset folder (default: TDDFA_ASSETS)")
    parser.add_argument("--out", type=Path, required=True, help="archive (.npz) or folder")
    parser.add_argument("--list", type=Path, help="crops to look at, one name a line")
    parser.add_argument("--views", type=int, default=1, help="per crop: 1, 2, … 14 (%(default)s)")
    parser.add_argument("--part", default="0/1", help="share of the work, i/n (%(default)s)")
    parser.add_argument("--onnx", action="store_true", help="use ONNX Runtime, which is faster")
    parser.add_argument("--threads", type=int, help="threads of ONNX Runtime (default: all cores)")
    args = parser.parse_args(argv)
    part, parts = parse_part(args.part)
    check_views(args.views)
    aligners = [
        open_aligner(config, assets=args.assets, onnx=args.onnx, threads=args.threads)
        for config in args.config
    ]
    files = [load_config(config, args.assets).find("checkpoint_fp") for config in args.config]
    write_manifest(beside(args.out), [entry for file in files for entry in network_entries(file)])
    names = in_order(list_pictures(args.crops), args.list)
    if args.out.suffix:
        found = ask(aligners, args.crops, names[part::parts], args.views)
        save_arrays(args.out, **_arrays(found))
        logger.info("%d crops, wrote %s", len(found.names), args.out)
        return 0
    shards = Shards(args.out, KIND)
    for some in shards.missing(names, part, parts):
        shards.write(part, **_arrays(ask(aligners, args.crops, some, args.views)))
    return 0


def _arrays(found: SecondOpinion) -> dict[str, npt.NDArray]:
    return {key: value for key, value in vars(found).items() if value is not None}


if __name__ == "__main__":
    raise SystemExit(run_main(main))
