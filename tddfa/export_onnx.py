"""Convert checkpoints of the regressor and of FaceBoxes to ONNX.

``python -m tddfa.export_onnx weights/mb1_120x120.pth`` writes ``weights/mb1_120x120.onnx`` and
checks it against PyTorch.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from tddfa.assets import find_asset
from tddfa.cli import run_main
from tddfa.io.targets import RunFile, check_targets

logger = logging.getLogger(__name__)


def export_onnx(checkpoint: str | Path, onnx_fp: str | Path, size: int = 120) -> float:
    """Convert one checkpoint; what it holds is read off its tensors.

    Parameters
    ----------
    checkpoint : str or Path
        ``.pth`` of a MobileNet regressor (any width and number of parameters) or of FaceBoxes.
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
        If the checkpoint is neither, the target cannot be written, or the outputs differ by more
        than 1e-4.
    """
    import torch

    from tddfa.checkpoints import load_state_dict
    from tddfa.mobilenet import load_mobilenet
    from tddfa.onnx_writer import write_onnx

    if any(key.startswith("inception1.") for key in load_state_dict(checkpoint)):
        from FaceBoxes.export import export_onnx as export_detector

        return export_detector(checkpoint, onnx_fp)
    generator = torch.Generator().manual_seed(0)
    examples = [torch.rand((n, 3, size, size), generator=generator) * 2 - 1 for n in (2, 1, 3)]
    return write_onnx(load_mobilenet(checkpoint), examples, onnx_fp, output_names=("output",))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tddfa.export_onnx",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", help=".pth file of the regressor or of FaceBoxes")
    parser.add_argument("--out", help="target (default: beside the checkpoint)")
    parser.add_argument("--size", type=int, default=120, help="regressor's input (%(default)s)")
    args = parser.parse_args(argv)
    checkpoint = find_asset(args.checkpoint)
    target = Path(args.out) if args.out else checkpoint.with_suffix(".onnx")
    check_targets([RunFile(checkpoint, "checkpoint")], [RunFile(target, "--out")])
    difference = export_onnx(checkpoint, target, args.size)
    logger.info("wrote %s, differs from PyTorch by %.1e", target, difference)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
