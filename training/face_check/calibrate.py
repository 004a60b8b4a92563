"""Say how the face check's word and the detector's go together.

``python -m training.face_check.calibrate runs/check/weights.pth --candidates data/candidates/*.npz
--out weights/face_check.pth``

Logistic regression on what detectors reported in the pictures that were kept from training for
this (`training.face_check.sources.is_validation`)::

    logit of a face = gain · check + weight · detector + bias

The gain and the bias go into the network's last layer, so that the check's logit counts once and a
score of 0.5 means what it says; the weight belongs into `tddfa.face_check.checked_detector`.
``--bias`` moves all scores, where fewer false faces are wanted than every second at 0.5.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from tddfa.checkpoints import save_checkpoint
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.face_check.looks import logit_of
from tddfa.face_check.network import FaceCheckNet, load_network
from tddfa.weight_labels import FACE_CHECK, WeightLabels
from training.face_check.candidates import load_candidates
from training.face_check.sources import Patches, is_validation
from training.face_check.train import patch_logits
from training.provenance.runs import record_derived

logger = logging.getLogger(__name__)
# Rates that a table of thresholds shows.
_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_RIDGE, _STEPS = 1e-3, 50


def validation_logits(
    network: FaceCheckNet, paths: Sequence[Path]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return logits (n, 2) of check and detector on reported places, and which are faces."""
    logits, faces = [], []
    for path in paths:
        table = load_candidates(path)
        kept = {name: is_validation(name) for name in np.unique(table.names).tolist()}
        mine = np.array([kept[name] for name in table.names.tolist()], bool)
        rows = np.flatnonzero(mine & (table.score > 0))
        patches = Patches(table.images, rows, table.squares, table.score)
        own = patch_logits(network, patches)
        logits.append(np.column_stack([own, logit_of(table.score[rows])]).astype(np.float64))
        faces.append(table.face[rows])
    joined = np.concatenate(faces)
    if not joined.any() or joined.all():
        raise InputError("--candidates: expected faces and others among the pictures kept for this")
    return np.concatenate(logits), joined


def fit(
    logits: npt.NDArray[np.float64], faces: npt.NDArray[np.bool_]
) -> tuple[float, float, float]:
    """Return gain, weight and bias of a logistic regression on logits (n, 2), by Newton's steps."""
    table = np.column_stack([logits, np.ones(len(logits))])
    theta = np.array([1.0, 0.5, 0.0])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(table @ theta, -30, 30)))
        slope = table.T @ (p - faces) / len(table) + _RIDGE * (theta - (1, 0.5, 0))
        curve = (table * (p * (1 - p))[:, None]).T @ table / len(table) + _RIDGE * np.eye(3)
        theta = theta - np.linalg.solve(curve, slope)
    return float(theta[0]), float(theta[1]), float(theta[2])


def folded(network: FaceCheckNet, gain: float, bias: float) -> FaceCheckNet:
    """Return the network with another scale and zero of its logit."""
    assert network.answer.bias is not None
    with torch.no_grad():
        network.answer.weight[0] *= gain
        network.answer.bias[0] = network.answer.bias[0] * gain + bias
    return network


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.face_check.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", type=Path, help="of training.face_check.train (.pth)")
    parser.add_argument(
        "--candidates", type=Path, nargs="+", required=True, help="archives of .candidates"
    )
    parser.add_argument(
        "--weight", type=float, help="weight of the detector's logit (default: fitted)"
    )
    parser.add_argument(
        "--bias", type=float, default=0.0, help="added to every logit (%(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, help="weights to write (.pth)")
    args = parser.parse_args(argv)
    network = load_network(args.weights)
    logits, faces = validation_logits(network, args.candidates)
    gain, weight, bias = fit(logits, faces)
    if args.weight is not None:
        gain, weight, bias = _with_weight(logits, faces, args.weight)
    bias += args.bias
    total = gain * logits[:, 0] + weight * logits[:, 1] + bias
    logger.info("gain %.3f, weight of the detector %.3f, bias %.3f", gain, weight, bias)
    for threshold in _THRESHOLDS:
        seen = total > float(logit_of(threshold))
        logger.info(
            "score > %.1f: %.3f of %d faces, %.4f of %d others",
            threshold,
            seen[faces].mean(),
            faces.sum(),
            seen[~faces].mean(),
            (~faces).sum(),
        )
    state = {k: v.contiguous() for k, v in folded(network, gain, bias).state_dict().items()}
    save_checkpoint(args.out, state, WeightLabels(network=FACE_CHECK))
    record_derived(args.out, [args.weights])
    logger.info("wrote %s", args.out)
    return 0


def _with_weight(
    logits: npt.NDArray[np.float64], faces: npt.NDArray[np.bool_], weight: float
) -> tuple[float, float, float]:
    """Return gain, the given weight, and bias that fit best beside it."""
    best = (np.inf, 1.0, 0.0)
    for gain in np.linspace(0.5, 2.5, 41):
        for bias in np.linspace(-4, 4, 81):
            total = gain * logits[:, 0] + weight * logits[:, 1] + bias
            error = float(np.logaddexp(0, np.where(faces, -total, total)).mean())
            best = min(best, (error, float(gain), float(bias)))
    return best[1], weight, best[2]


if __name__ == "__main__":
    raise SystemExit(run_main(main))
