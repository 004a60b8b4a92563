"""Measure blendshape coefficients, channel by channel.

``python -m training.evaluate_blendshapes -c configs/mb1_120x120.yml --data data/photos
shapes/photos --renders data/heads --out runs/blendshapes``

On held-out crops by their correlation with the labels of ``training.blendshape_labels``, on
rendered heads by the true error. Writes ``blendshapes.json`` and prints a table; ``--sheet`` draws,
for each channel, the rendered head that does it most, with the true coefficient and the one found.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.arkit52 import NAMES
from tddfa.cli import run_main
from tddfa.config import load_config
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.io.pictures import imwrite
from tddfa.onnx_backend import TDDFA_ONNX
from tddfa.roi import network_input, parse_roi_box_from_landmark
from training.blendshapes.measure import compare
from training.blendshapes.sources import open_labelled, open_rendered
from training.dataset.batch import INPUT, MARGIN
from training.evaluation.rendered import UPRIGHT, load_rendered, roll_of
from training.labels.pseudo_labels import angles

logger = logging.getLogger(__name__)
Array = npt.NDArray[np.floating]
TURNED = 45.0  # degrees of yaw up to which a rendered head shows both sides
_CELL, _TEXT = 168, 34
_COLUMNS = 9


def coefficients(
    aligner: TDDFA_ONNX, images: npt.NDArray[np.uint8], rois: Sequence[Sequence[float]]
) -> npt.NDArray[np.float32]:
    """Return the coefficients (n, 52) of one face in each picture."""
    found = []
    for image, roi in zip(images, rois, strict=True):
        values = aligner.forward_all(network_input(image, [list(roi)], aligner.size))[1]
        assert values is not None
        found.append(values[0])
    return np.stack(found)


def measure_crops(aligner: TDDFA_ONNX, data: Sequence[tuple[Path, Path]]) -> dict[str, Any]:
    """Compare with the labels of held-out crops, each seen in its detector's ROI."""
    middle = [MARGIN, MARGIN, MARGIN + INPUT, MARGIN + INPUT]
    found, labels = [], []
    for folder, of in data:
        source = open_labelled(folder, of)
        rows = source.rows(held_out=True)
        if len(rows):
            found.append(coefficients(aligner, source.faces.images[rows], [middle] * len(rows)))
            labels.append(source.coefficients[rows])
    if not found:
        raise InputError("--data: expected held-out crops with labels")
    return compare(np.concatenate(found), np.concatenate(labels))


def measure_renders(aligner: TDDFA_ONNX, folder: Path, sheet: Path | None) -> dict[str, Any]:
    """Compare with the truth of rendered heads, each seen in its landmarks' ROI.

    ``all`` is of every head, ``upright`` of those that are rolled by 30 degrees at most and turned
    by 45.
    """
    heads, truth = load_rendered(folder), open_rendered(folder).coefficients
    rois = [[float(edge) for edge in parse_roi_box_from_landmark(p)] for p in heads.points]
    found = coefficients(aligner, heads.images, rois)
    rotation = heads.rotation.astype(np.float64)
    upright = (np.abs(roll_of(rotation)) <= UPRIGHT) & (np.abs(angles(rotation)[0]) <= TURNED)
    report = {"all": compare(found, truth)}
    if upright.any():
        report["upright"] = compare(found[upright], truth[upright])
        if sheet is not None:
            imwrite(sheet, draw_sheet(heads.images[upright], truth[upright], found[upright]))
    return report


def draw_sheet(images: npt.NDArray[np.uint8], truth: Array, found: Array) -> npt.NDArray[np.uint8]:
    """Return a sheet with the head that moves each channel most, true and found coefficient."""
    moving = [k for k in range(len(NAMES)) if truth[:, k].max() > 0]
    rows = -(-len(moving) // _COLUMNS)
    sheet = np.full((rows * (_CELL + _TEXT), _COLUMNS * _CELL, 3), 255, np.uint8)
    for place, k in enumerate(moving):
        i = int(truth[:, k].argmax())
        y, x = place // _COLUMNS * (_CELL + _TEXT), place % _COLUMNS * _CELL
        sheet[y : y + _CELL, x : x + _CELL] = cv2.resize(images[i], (_CELL, _CELL))
        lines = NAMES[k], f"{truth[i, k]:.2f}, found {found[i, k]:.2f}"
        for line, text in enumerate(lines, 1):
            at = (x + 3, y + _CELL + 14 * line)
            cv2.putText(sheet, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return sheet


def table(report: dict[str, Any]) -> str:
    """Return the report as a table in Markdown."""
    columns = {
        "correlation, held-out crops": ("crops", "correlation"),
        "labels' deviation": ("crops", "deviation"),
        "correlation, upright renders": ("upright", "correlation"),
        "mean absolute error, upright renders": ("upright", "absolute_error"),
    }
    parts = {"crops": report.get("crops"), **report.get("renders", {})}
    used = {title: at for title, at in columns.items() if parts.get(at[0])}
    lines = ["| channel | " + " | ".join(used) + " |", "|---" * (len(used) + 1) + "|"]
    for name in NAMES:
        values = [parts[part]["channels"][name][key] for part, key in used.values()]
        cells = ["" if np.isnan(value) else f"{value:.2f}" for value in values]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_blendshapes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-c", "--config", default="configs/mb1_120x120.yml", help="(%(default)s)")
    add("--head", type=Path, help="another head (.pth) than the configuration's")
    add("--data", nargs=2, action="append", type=Path, metavar=("PACKED", "LABELS"), default=[])
    add("--renders", type=Path, help="test heads of training.render_heads")
    add("--sheet", type=Path, help="picture of each channel to draw, of --renders")
    add("--precision", choices=("float32", "int8"), default="float32", help="(%(default)s)")
    add("--out", type=Path, required=True, help="folder of the report")
    args = parser.parse_args(argv)
    if not args.data and args.renders is None:
        raise InputError("--data, --renders: expected faces to measure on")
    config = load_config(args.config)
    if args.head is not None:
        config = config.with_values(blendshapes_fp=str(args.head.resolve()))
    aligner = TDDFA_ONNX(blendshapes=True, precision=args.precision, **vars(config))
    report: dict[str, Any] = {}
    if args.data:
        report["crops"] = measure_crops(aligner, args.data)
    if args.renders is not None:
        report["renders"] = measure_renders(aligner, args.renders, args.sheet)
    args.out.mkdir(parents=True, exist_ok=True)
    with replacing(args.out / "blendshapes.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(table(report))
    for name, part in {"crops": report.get("crops"), **report.get("renders", {})}.items():
        if part:
            print(
                f"{name}: {part['faces']} faces, mean correlation {part['mean_correlation']:.3f} "
                f"over {part['moving'] - part['constant']} channels that move "
                f"({part['mean_with_constant']:.3f} with {part['constant']} left at rest), "
                f"mean absolute error {part['mean_absolute_error']:.3f} (of the median: "
                f"{part['error_of_the_median']:.3f})"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
