"""Find MediaPipe's 478 face points in face crops, cached and resumable.

``python -m training.mediapipe_points data/crops --out data/points --task face_landmarker.task``

With ``--task`` the points are those of MediaPipe's newer network of 256 px, on ``ai-edge-litert``;
without, those of the two-pass mesh of ``mediapipe``. Both are in the extra ``train``. Besides them
only NumPy, OpenCV and tqdm are needed, so that it can run in an environment of its own. Several
processes may share the work: ``--part 0/2`` and ``--part 1/2``.
"""

import argparse
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.cli import run_main
from tddfa.errors import InputError
from training.dataset.shards import Shards, in_order, parse_part
from training.provenance.entry import LABEL, Entry, write_manifest
from training.provenance.networks import network_entries

logger = logging.getLogger(__name__)

N_POINTS = 478
KIND = "points"  # of the shards
SUFFIXES = (".webp", ".png", ".jpg", ".jpeg", ".bmp")
Mesh = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
MESH = Entry(LABEL, "face_mesh", "Apache-2.0", "Google", "PyPI mediapipe 0.10.14")


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
    """Return the sorted paths of the pictures below `folder`, relative to it, with ``/``.

    Hidden files are none: a run that was killed may have left one behind.
    """
    if not folder.is_dir():
        raise InputError(f"'{folder}': expected a folder of pictures")
    found = (path for path in folder.rglob("[!.]*") if path.suffix.lower() in SUFFIXES)
    return sorted(path.relative_to(folder).as_posix() for path in found)


def load_points(folder: Path) -> FacePoints:
    """Read all shards that `find_points` wrote."""
    shards = Shards(folder, KIND)
    if not shards.paths:
        raise InputError(f"'{folder}': expected {KIND}_*.npz, run training.mediapipe_points first")
    return FacePoints(shards.read("names"), shards.read("points"))


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


def find_points(
    crops: Path,
    out: Path,
    part: int = 0,
    parts: int = 1,
    mesh: Mesh | None = None,
    wanted: Path | None = None,
) -> int:
    """Find the points of all crops that no shard in `out` holds yet.

    Parameters
    ----------
    crops : Path
        Folder of square face crops.
    out : Path
        Folder of shards; each is written whole or not at all, so a broken run loses one at most.
    part, parts : int
        This process's share of the work.
    mesh : callable, optional
        Marks a crop; by default `TwoPassMesh`.
    wanted : Path, optional
        File of the crops' names to look at, most important first; by default all.

    Returns
    -------
    int
        Number of crops looked at.
    """
    shards, looked = Shards(out, KIND), 0
    for names in shards.missing(in_order(list_pictures(crops), wanted), part, parts):
        mesh = mesh or TwoPassMesh()
        shards.write(part, names=np.array(names), points=np.stack(list(_look(crops, names, mesh))))
        looked += len(names)
    return looked


def _look(crops: Path, names: Sequence[str], mesh: Mesh) -> Iterator[npt.NDArray[np.float32]]:
    from tqdm import tqdm

    for name in tqdm(names, desc="points", unit="crop", mininterval=5):
        crop = cv2.imread(str(crops / name))
        yield (
            np.full((N_POINTS, 3), np.nan, np.float32)
            if crop is None
            else mesh(np.asarray(crop, np.uint8))
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.mediapipe_points", description=__doc__
    )
    parser.add_argument("crops", type=Path, help="folder of square face crops")
    parser.add_argument("--out", type=Path, required=True, help="folder of the points found")
    parser.add_argument("--part", default="0/1", help="share of the work, i/n (%(default)s)")
    parser.add_argument(
        "--task",
        type=Path,
        metavar="FILE",
        help="mark with the network of face_landmarker.task, on LiteRT, in place of the mesh",
    )
    parser.add_argument("--list", type=Path, help="crops to look at, one name a line")
    parser.add_argument("--views", type=int, default=2, help="of that network (%(default)s)")
    parser.add_argument(
        "--own-detector",
        action="store_true",
        help="that network looks first where the bundle's own detector sees a face, not at the "
        "crop's middle, which another detector chose",
    )
    args = parser.parse_args(argv)
    if args.own_detector and not args.task:
        raise InputError("--own-detector: expected --task too")
    part, parts = parse_part(args.part)
    cv2.setNumThreads(1)
    mesh: Mesh | None = None
    if args.task:
        from training.labels.task_net import TaskNet

        first = None
        if args.own_detector:
            from training.labels.task_detector import TaskDetector

            first = TaskDetector(args.task)
        mesh = TaskNet(args.task, args.views, first)
    count = find_points(args.crops, args.out, part, parts, mesh, args.list)
    write_manifest(args.out, network_entries(args.task) if args.task else [MESH])
    logger.info("%d crops looked at", count)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
