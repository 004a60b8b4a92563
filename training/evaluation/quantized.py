"""What quantizing a regressor costs: both forms of it, side by side on annotated faces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tddfa.config import Config
from tddfa.ibug68 import INNER
from tddfa.onnx_backend import TDDFA_ONNX
from tddfa.params import FloatArray
from tddfa.roi import network_input
from training.evaluation import metrics
from training.evaluation.benchmark_sets import LandmarkSet, read_picture


@dataclass(frozen=True)
class QuantizeReport:
    """What quantizing cost on held-out faces.

    Attributes
    ----------
    faces : int
    shift, shift_p95, shift_max : float
        Pixels of the crop by which landmarks moved: mean, 95th percentile of the faces' means,
        largest of all.
    nme, nme_quantized : float
        Inner 51 points over the distance of the outer eye corners, percent.
    """

    faces: int
    shift: float
    shift_p95: float
    shift_max: float
    nme: float
    nme_quantized: float

    def __str__(self) -> str:
        """Return a line to print."""
        return (
            f"{self.faces} held-out faces: landmarks moved by {self.shift:.3f} px of the crop "
            f"(95 % of faces {self.shift_p95:.3f}, largest {self.shift_max:.2f}), "
            f"NME {self.nme:.3f} -> {self.nme_quantized:.3f} %"
        )


def crops(faces: LandmarkSet, rows: Sequence[int], size: int) -> Iterator[FloatArray]:
    """Yield the network's input (1, 3, size, size) for some faces of a set."""
    for row in rows:
        picture = read_picture(faces.paths[row])
        yield network_input(picture, [faces.rois[row].tolist()], size)


def compare(config: Config, exact: Path, quantized: Path, faces: LandmarkSet) -> QuantizeReport:
    """Measure two forms of a network on annotated faces."""
    aligners = [TDDFA_ONNX(**vars(replace(config, onnx_fp=str(p)))) for p in (exact, quantized)]
    outputs = [
        [aligner.regress(crop)[0] for aligner in aligners]
        for crop in crops(faces, range(len(faces.paths)), config.size)
    ]
    params = [list(column) for column in zip(*outputs, strict=True)]
    make = aligners[0].recon_vers
    crop = [[0.0, 0.0, config.size, config.size]] * len(outputs)
    placed = [np.stack(make(column, crop))[:, :2] for column in params]
    moved = np.linalg.norm(placed[1] - placed[0], axis=1)
    size = metrics.eye_corner_distance(faces.points)
    truth = faces.points[:, :, INNER]
    errors = [
        metrics.nme(np.stack(make(column, list(faces.rois)))[:, :, INNER], truth, size)
        for column in params
    ]
    return QuantizeReport(
        len(outputs),
        float(moved.mean()),
        float(np.percentile(moved.mean(axis=1), 95)),
        float(moved.max()),
        errors[0].plain,
        errors[1].plain,
    )
