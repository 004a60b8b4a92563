"""MediaPipe's 478 face points over many pictures, cached in one file.

Needs ``mediapipe`` (extra ``train``); nothing that ships imports this module.

    python -m training.face_model.mediapipe_points faces  ../shared/faces  out.npz --every 4
    python -m training.face_model.mediapipe_points scenes ../shared/scenes out.npz

A face is found by showing the tracker a black frame and then the crop twice: the second look starts
from the first one's points and is the more exact of the two on small crops.
"""

from __future__ import annotations

import argparse
import csv
import logging
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tddfa.io.pictures import imread
from tddfa.pixel_frames import to_centers

log = logging.getLogger(__name__)

INPUT_SIDE = 336  # MediaPipe's own networks work at 128 (detector) and 256 (mesh)
FACES = ("celeba", "generated", "stylegan", "lfw", "ytf", "mixed")


def face_crops(
    root: Path, every: int, offset: int
) -> Iterator[tuple[str, np.ndarray, float, float, float]]:
    """Yield (name, crop, x0, y0, side) for every n-th file of the face crops."""
    with (root / "index.csv").open() as f:
        names = [r["file"] for r in csv.DictReader(f) if r["source"] in FACES]
    for name in names[offset::every]:
        im = cv2.imread(str(root / name))
        if im is not None:
            yield name, im, 0.0, 0.0, float(im.shape[0])


def scene_crops(root: Path) -> Iterator[tuple[str, np.ndarray, float, float, float]]:
    """Yield square crops, twice the size of the annotated face, of the annotated scenes."""
    with (root / "landmarks68.csv").open() as f:
        rows = list(csv.DictReader(f))
    for i, row in enumerate(rows):
        im = imread(root / "images" / row["file"])
        pts = np.array([[float(row[f"x{k}"]), float(row[f"y{k}"])] for k in range(68)])
        lo, hi = pts.min(0), pts.max(0)
        side = 2.0 * float((hi - lo).max())
        x0, y0 = (lo + hi) / 2 - side / 2 - np.array([0, 0.06 * side])
        scale = INPUT_SIDE / side
        m = np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]])
        flag = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        yield str(i), cv2.warpAffine(im, m, (INPUT_SIDE,) * 2, flags=flag), x0, y0, side


def detect(crops: Iterator[tuple[str, np.ndarray, float, float, float]], out: Path) -> None:
    """Run the face mesh over ``crops`` and write ``names``, ``points`` (n, 478, 3), ``side``.

    Points are pixels of the original picture (y down; z in the same unit, smaller is nearer).
    """
    import mediapipe as mp

    cv2.setNumThreads(1)
    mesh = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=False,
        refine_landmarks=True,
        max_num_faces=1,
        min_detection_confidence=0.3,
        min_tracking_confidence=0.1,
    )
    black = np.zeros((INPUT_SIDE, INPUT_SIDE, 3), np.uint8)
    names, points, sides, missed = [], [], [], 0
    for name, im, x0, y0, side in crops:
        if im.shape[0] != INPUT_SIDE:
            im = cv2.resize(im, (INPUT_SIDE,) * 2, interpolation=cv2.INTER_CUBIC)
        rgb = np.ascontiguousarray(im[:, :, ::-1])
        mesh.process(black)
        mesh.process(rgb)
        found = mesh.process(rgb).multi_face_landmarks
        if not found:
            missed += 1
            continue
        p = np.array([[q.x, q.y, q.z] for q in found[0].landmark]) * side
        names.append(name)
        p[:, :2] = to_centers(p[:, :2] + [x0, y0])  # MediaPipe counts from the picture's edge
        points.append(p.astype(np.float32))
        sides.append(side)
        if len(names) % 1000 == 0:
            log.info("%d found, %d missed", len(names), missed)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(out, names=np.array(names), points=np.array(points), side=np.array(sides))
    log.info("%d found, %d missed -> %s", len(names), missed, out.name)


def main() -> None:
    """Command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    p.add_argument("kind", choices=("faces", "scenes"))
    p.add_argument("root", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--every", type=int, default=4, help="take every n-th face crop")
    p.add_argument("--offset", type=int, default=0, help="start at this face crop")
    a = p.parse_args()
    detect(
        face_crops(a.root, a.every, a.offset) if a.kind == "faces" else scene_crops(a.root), a.out
    )


if __name__ == "__main__":
    main()
