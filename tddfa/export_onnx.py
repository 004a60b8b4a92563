"""Convert checkpoints of the regressor, of FaceBoxes and of the face check to ONNX.

``python -m tddfa.export_onnx weights/mb1_120x120.pth`` writes ``weights/mb1_120x120.onnx`` and
checks it against PyTorch.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tddfa.arguments import positive_int
from tddfa.assets import find_asset
from tddfa.cli import run_main
from tddfa.io.targets import RunFile, check_targets
from tddfa.optional import require
from tddfa.weight_labels import file_sha256

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


def export_onnx(checkpoint: str | Path, onnx_fp: str | Path, size: int = 120) -> float:
    """Convert one checkpoint; what it holds is read off its tensors.

    Parameters
    ----------
    checkpoint : str or Path
        ``.pth`` of a regressor (any network of `tddfa.backbones`, width and number of
        parameters), of FaceBoxes or of the face check.
    onnx_fp : str or Path
        Target, written whole or not at all. Batch size is free; for the detector height and width
        too.
    size : int
        Side of the regressor's input.

    Returns
    -------
    float
        Largest absolute difference to PyTorch's output on random input.

    Raises
    ------
    InputError
        If a package for it is missing, the checkpoint is neither, the target cannot be written, or
        the outputs differ by more than 1e-4.
    """
    require("conversion to ONNX", "torch", "onnx", "onnxscript")
    from tddfa.backbone import load_backbone
    from tddfa.checkpoints import holds_detector, holds_face_check, load_labels, load_state_dict
    from tddfa.onnx_writer import write_onnx

    state = load_state_dict(checkpoint)
    if holds_face_check(state):
        from tddfa.face_check.export import export_onnx as export_check

        return export_check(checkpoint, onnx_fp)
    if holds_detector(state):
        from FaceBoxes.export import export_onnx as export_detector

        return export_detector(checkpoint, onnx_fp)
    network = load_backbone(checkpoint)
    labels = replace(
        load_labels(checkpoint),
        network=network.arch,
        width=str(network.width),
        checkpoint=file_sha256(Path(checkpoint)),
    )
    return write_onnx(
        network, example_inputs(size), onnx_fp, output_names=("output",), labels=labels
    )


def example_inputs(size: int = 120) -> list["torch.Tensor"]:
    """Return batches of a regressor's inputs to trace and to check with."""
    import torch

    generator = torch.Generator().manual_seed(0)
    return [torch.rand((n, 3, size, size), generator=generator) * 2 - 1 for n in (2, 1, 3)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tddfa.export_onnx",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "checkpoint", help=".pth file of the regressor, of FaceBoxes or of the face check"
    )
    parser.add_argument("--out", help="target (default: beside the checkpoint)")
    parser.add_argument(
        "--size", type=positive_int, default=120, help="regressor's input (%(default)s)"
    )
    args = parser.parse_args(argv)
    checkpoint = find_asset(args.checkpoint)
    target = Path(args.out) if args.out else checkpoint.with_suffix(".onnx")
    check_targets([RunFile(checkpoint, "checkpoint")], [RunFile(target, "--out")])
    difference = export_onnx(checkpoint, target, args.size)
    logger.info("wrote %s, differs from PyTorch by %.1e", target, difference)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
