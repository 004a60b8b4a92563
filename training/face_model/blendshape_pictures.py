"""Draw docs/images/face_model/blendshapes.jpg: each of ARKit's 52 movements on the mean face.

python -m training.face_model.blendshape_pictures [--out docs/images/face_model/blendshapes.jpg]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from tddfa.arkit52 import NAMES
from tddfa.blendshapes import load_blendshapes
from training.face_model.measure import MODEL
from training.face_model.pictures import OUT, Sheet
from training.face_model.rendering import caption, tiles

COLUMNS, SIDE, TURN = 9, 150, 25.0


def main() -> int:
    """Draw each movement at 1, turned a little, so that depth shows."""
    p = argparse.ArgumentParser(description="Draw each of ARKit's 52 movements on the mean face.")
    p.add_argument("--model", type=Path, default=MODEL)
    p.add_argument("--out", type=Path, default=OUT / "blendshapes.jpg")
    a = p.parse_args()
    sheet, shapes = Sheet(a.model), load_blendshapes()
    pictures = [caption(sheet.face(sheet.shape(), TURN, 0, SIDE, 215), "neutral")]
    for name, unit in zip(NAMES, np.eye(len(NAMES)), strict=True):
        moved = sheet.shape() + shapes.displacement(unit)
        pictures.append(caption(sheet.face(moved, TURN, 0, SIDE, 215), name))
    cv2.imwrite(str(a.out), tiles(pictures, COLUMNS), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
