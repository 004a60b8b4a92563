"""Pictures of a measurement: cumulative error curves and contact sheets of the worst faces.

Contact sheets show people: they belong into ``runs/``, never into the repository.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.picture import ImageArray
from tddfa.roi import crop_img
from training.evaluation.benchmark_sets import LandmarkSet, read_picture
from training.evaluation.metrics import cumulative_error

TRUE_COLOR, FOUND_COLOR = (80, 220, 80), (60, 60, 255)


def draw_ced(target: Path, curves: Mapping[str, npt.NDArray[np.floating]], limit: float) -> None:
    """Draw cumulative error curves of several predictors, percent of faces over NME in percent."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    thresholds = np.linspace(0, limit, 201)
    for name, errors in curves.items():
        axes.plot(thresholds, 100 * cumulative_error(errors, thresholds), label=name)
    axes.set(xlabel="NME, %", ylabel="faces, %", xlim=(0, limit), ylim=(0, 100))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=120)


def contact_sheet(
    faces: LandmarkSet,
    predicted: npt.NDArray[np.floating],
    errors: npt.NDArray[np.floating],
    count: int = 16,
    side: int = 240,
) -> ImageArray:
    """Return the faces with the largest errors as tiles, four a row: truth green, found red."""
    tiles = []
    for i in np.argsort(-errors, kind="stable")[:count]:
        roi = faces.rois[i]
        tile = cv2.resize(crop_img(read_picture(faces.paths[i]), roi), (side, side))
        scale = side / (roi[2:] - roi[:2])
        for points, color in ((faces.points[i], TRUE_COLOR), (predicted[i], FOUND_COLOR)):
            for x, y in ((points[:2].T - roi[:2]) * scale).round().astype(int).tolist():
                cv2.circle(tile, (x, y), 2, color, -1, cv2.LINE_AA)
        label = f"{errors[i]:.1f} {faces.paths[i].stem[-12:]}"
        cv2.putText(tile, label, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3)
        cv2.putText(tile, label, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1)
        tiles.append(tile)
    blank = np.zeros((side, side, 3), np.uint8)
    tiles += [blank] * (-len(tiles) % 4)
    return np.vstack([np.hstack(tiles[i : i + 4]) for i in range(0, len(tiles), 4)])
