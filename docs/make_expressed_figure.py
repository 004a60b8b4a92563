"""Draw the picture of "Other expressions" in docs/training.md.

``python -m docs.make_expressed_figure`` shuts the eyes and opens the mouth of the portrait that the
examples use, as `training.express` does with training pictures, and rewrites
``docs/images/training/expressed.jpg``. The labels' lids and lips are drawn on the lower row.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tddfa import FaceAligner
from tddfa.cli import run_main
from tddfa.ibug68 import OUTLINES
from tddfa.model_files import load_face_model
from tddfa.roi import crop_img
from training.augmentation.expressing import express_picture
from training.dataset.batch import CANVAS, INPUT
from training.dataset.packed import dense_model, place
from training.detector.guess import guess_labels
from training.evaluation.benchmark_sets import read_picture
from training.evaluation.predict import open_aligner

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images" / "training" / "expressed.jpg"
# Coefficients by name in place of the face's own, and the share of teeth (None: as they are).
SHOWN: tuple[tuple[dict[str, float], float | None], ...] = (
    ({}, None),
    ({"blink_left": 4.0, "blink_right": 4.0}, None),
    ({"jaw_open": 3.5}, 0.3),
    ({"blink_left": 4.0, "jaw_open": 5.0}, 0.0),
)
ZOOM = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.make_expressed_figure",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(argv)
    model = load_face_model(ROOT / "configs" / "face_model.npz")
    photo = read_picture(ROOT / "examples" / "inputs" / "astronaut.png")
    (face,) = FaceAligner()(photo)
    left, top, right, bottom = face.roi_box
    margin = (CANVAS / INPUT - 1) / 2 * (right - left)
    roi = [left - margin, top - margin, right + margin, bottom + margin]
    crop = np.asarray(
        cv2.resize(crop_img(photo, roi), (CANVAS, CANVAS), interpolation=cv2.INTER_AREA), np.uint8
    )
    with tempfile.TemporaryDirectory() as folder:
        cv2.imwrite(f"{folder}/face.png", crop)
        labels = guess_labels(open_aligner("default", onnx=True), Path(folder), ["face.png"])
    mean, basis = dense_model(model)
    start, camera = model.w_shp.shape[1], labels.camera[0]
    before = place(mean, basis, labels.alpha[0], camera)
    panels = []
    for expression, teeth in SHOWN:
        alpha = labels.alpha[0].copy()
        for name, value in expression.items():
            alpha[start + model.exp_names.index(name)] = value
        after = place(mean, basis, alpha, camera)
        drawn = express_picture(
            crop, before, after, np.asarray(model.tri, np.int32), model.tri.inside, teeth
        )
        large = cv2.resize(drawn, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
        marked, points = large.copy(), after[model.landmark_vertices, :2]
        pixels = np.column_stack([points[:, 0], CANVAS - points[:, 1]]) * ZOOM
        for first, end, closed in OUTLINES:
            line = np.round(pixels[first:end]).astype(np.int32)
            if closed:  # lids and lips
                cv2.polylines(marked, [line], closed, (120, 230, 60), 1, cv2.LINE_AA)
        panels.append(np.vstack([large, marked]))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(TARGET), np.hstack(panels), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
