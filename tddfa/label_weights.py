"""Write into weights which face model and parameter scale they were trained for.

``training.export`` does so by itself. Weights of your own that are older, or come from elsewhere,
are refused with the open face model until they say that they belong to it::

    python -m tddfa.label_weights weights/mine.pth
    python -m tddfa.label_weights mine.pth --face_model my_model.npz --param_scale my_scale.npz

The numbers stay as they are, bit by bit. An ``.onnx`` beside the ``.pth`` that computes the same is
labelled with it; of a detector, that alone.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tddfa.assets import find_asset
from tddfa.cli import run_main
from tddfa.config import Config
from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.params import load_parameter_scale
from tddfa.weight_labels import DETECTOR, WeightLabels, file_sha256, regressor_labels

logger = logging.getLogger(__name__)


def label_regressor(
    checkpoint: Path, face_model: Path, param_scale: Path, *, force: bool = False
) -> list[Path]:
    """Label a regressor's ``.pth`` and the ``.onnx`` beside it.

    Parameters
    ----------
    checkpoint : Path
        ``.pth``, rewritten whole or not at all.
    face_model, param_scale : Path
        What it was trained for.
    force : bool
        Replace labels that say something else.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If a file is missing or malformed, the weights say something else already, or the ``.onnx``
        computes something else.
    """
    from tddfa.backbone import load_backbone
    from tddfa.checkpoints import load_labels, load_tensors, save_checkpoint
    from tddfa.export_onnx import example_inputs
    from tddfa.onnx_writer import relabel_onnx

    scale = load_parameter_scale(param_scale)
    network = load_backbone(checkpoint, num_params=len(scale.mean))
    labels = regressor_labels(load_face_model(face_model), scale, network.width, network.arch)
    given = load_labels(checkpoint)
    if not force and given not in (WeightLabels(), labels):
        raise InputError(f"'{checkpoint}' says that it was trained for other files (--force)")
    if given != labels:
        save_checkpoint(checkpoint, load_tensors(checkpoint), labels)
    onnx_fp = checkpoint.with_suffix(".onnx")
    if not onnx_fp.is_file():
        return [checkpoint]
    labels = replace(labels, checkpoint=file_sha256(checkpoint))
    relabel_onnx(network, example_inputs(), onnx_fp, labels)
    return [checkpoint, onnx_fp]


def label_detector(checkpoint: Path) -> list[Path]:
    """Label the ``.onnx`` beside a detector's ``.pth`` with that; return the file written.

    Raises
    ------
    InputError
        If a file is missing or malformed, or they do not compute the same.
    """
    from FaceBoxes.export import example_inputs
    from FaceBoxes.inference_network import InferenceNet
    from FaceBoxes.network import load_network
    from tddfa.onnx_writer import relabel_onnx

    network, onnx_fp = InferenceNet(load_network(checkpoint)), checkpoint.with_suffix(".onnx")
    labels = WeightLabels(network=DETECTOR, checkpoint=file_sha256(checkpoint))
    relabel_onnx(network, example_inputs(), onnx_fp, labels)
    return [onnx_fp]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tddfa.label_weights",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", help=".pth file of a regressor or of FaceBoxes")
    parser.add_argument("--face_model", default=Config.bfm_fp, help="default: %(default)s")
    parser.add_argument("--param_scale", default=Config.param_mean_std_fp, help="likewise")
    parser.add_argument("--force", action="store_true", help="replace labels that say otherwise")
    args = parser.parse_args(argv)
    from tddfa.checkpoints import holds_detector, load_state_dict

    checkpoint = find_asset(args.checkpoint)
    if holds_detector(load_state_dict(checkpoint)):
        written = label_detector(checkpoint)
    else:
        model, scale = find_asset(args.face_model), find_asset(args.param_scale)
        written = label_regressor(checkpoint, model, scale, force=args.force)
    for path in written:
        logger.info("%s  %s", file_sha256(path), path)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
