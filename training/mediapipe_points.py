"""Find MediaPipe's 478 face points in face crops, cached and resumable.

``python -m training.mediapipe_points data/crops --out data/points``

Needs ``mediapipe`` (extra ``train``), and besides it only NumPy, OpenCV and tqdm, so that it can
run in an environment of its own. Several processes may share the work: ``--part 0/2`` and
``--part 1/2``.
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays

logger = logging.getLogger(__name__)

N_POINTS = 478
SHARD = 512
SUFFIXES = (".webp", ".png", ".jpg", ".jpeg", ".bmp")


@dataclass(frozen=True)
class FacePoints:
    """Points of n crops.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
        Paths relative to the crops' folder.
    points : ndarray, shape (n, 478, 3), float32
        Pixels of the crop from its upper left edge (a pixel's center is at .5), y down; z in the
        same unit, smaller is nearer. NaN where no face was found.
    """

    names: npt.NDArray[np.str_]
    points: npt.NDArray[np.float32]


def list_pictures(folder: Path) -> list[str]:
    """Return the sorted paths of the pictures below `folder`, relative to it, with ``/``."""
    if not folder.is_dir():
        raise InputError(f"'{folder}': expected a folder of pictures")
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path.relative_to(folder).as_posix() for path in found)


def load_points(folder: Path) -> FacePoints:
    """Read all shards that `find_points` wrote."""
    shards = sorted(folder.glob("points_*.npz"))
    if not shards:
        raise InputError(f"'{folder}': expected points_*.npz, run training.mediapipe_points first")
    names, points = [], []
    for shard in shards:
        with np.load(shard, allow_pickle=False) as archive:
            names.append(archive["names"])
            points.append(archive["points"])
    return FacePoints(np.concatenate(names), np.concatenate(points))


class TwoPassMesh:
    """MediaPipe's face mesh in tracking mode, shown each crop twice.

    The detector's own points are coarse. In tracking mode the second look starts from the first
    one's points, which cuts the error on small crops by a fifth; a black frame before each crop
    makes the tracker forget the face before.
    """

    def __init__(self) -> None:
        try:
            import mediapipe
        except ImportError as error:
            raise InputError(
                "points: MediaPipe is missing, pip install mediapipe==0.10.14"
            ) from error
        self._mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=False,
            refine_landmarks=True,
            max_num_faces=1,
            min_detection_confidence=0.3,
            min_tracking_confidence=0.1,
        )

    def __call__(self, crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the points of a BGR crop (H, W, 3), see `FacePoints.points`."""
        height, width = crop.shape[:2]
        # Its networks take 128 and 256 px: a crop of 168 is enlarged first.
        large = cv2.resize(crop, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
        large = np.asarray(cv2.cvtColor(large, cv2.COLOR_BGR2RGB), np.uint8)
        self._mesh.process(np.zeros_like(large))
        self._mesh.process(large)
        faces: Any = self._mesh.process(large).multi_face_landmarks
        if not faces:
            return np.full((N_POINTS, 3), np.nan, np.float32)
        points = [(p.x * width, p.y * height, p.z * width) for p in faces[0].landmark]
        return np.array(points, np.float32)


def find_points(crops: Path, out: Path, part: int = 0, parts: int = 1) -> int:
    """Find the points of all crops that no shard in `out` holds yet.

    Parameters
    ----------
    crops : Path
        Folder of square face crops.
    out : Path
        Folder of shards; each is written whole or not at all, so a broken run loses one at most.
    part, parts : int
        This process's share of the work.

    Returns
    -------
    int
        Number of crops looked at.
    """
    out.mkdir(parents=True, exist_ok=True)
    done = set(load_points(out).names.tolist()) if any(out.glob("points_*.npz")) else set()
    names = [name for name in list_pictures(crops) if name not in done]
    # In random order a run that is cut short leaves a fair sample of every source.
    order = np.random.default_rng(0).permutation(len(names))[part::parts]
    for first in range(0, len(order), SHARD):
        shard = [names[i] for i in order[first : first + SHARD]]
        _write_shard(out, part, FacePoints(np.array(shard), np.stack(list(_look(crops, shard)))))
    return len(order)


def _look(crops: Path, names: Sequence[str]) -> Iterator[npt.NDArray[np.float32]]:
    from tqdm import tqdm

    mesh = TwoPassMesh()
    for name in tqdm(names, desc="points", unit="crop", mininterval=5):
        crop = cv2.imread(str(crops / name))
        yield (
            np.full((N_POINTS, 3), np.nan, np.float32)
            if crop is None
            else mesh(np.asarray(crop, np.uint8))
        )


def _write_shard(out: Path, part: int, shard: FacePoints) -> None:
    number = 0
    while (target := out / f"points_{part:02d}_{number:04d}.npz").exists():
        number += 1
    save_arrays(target, names=shard.names, points=shard.points)
    logger.info("wrote %s", target.name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.mediapipe_points", description=__doc__
    )
    parser.add_argument("crops", type=Path, help="folder of square face crops")
    parser.add_argument("--out", type=Path, required=True, help="folder of the points found")
    parser.add_argument("--part", default="0/1", help="share of the work, i/n (%(default)s)")
    args = parser.parse_args(argv)
    try:
        part, parts = (int(number) for number in args.part.split("/"))
    except ValueError:
        part, parts = -1, 0
    if not 0 <= part < parts:
        raise InputError(f"--part: expected i/n with 0 <= i < n, got {args.part!r}")
    cv2.setNumThreads(1)
    logger.info("%d crops looked at", find_points(args.crops, args.out, part, parts))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
