"""Convert checkpoints of the regressor and of FaceBoxes to ONNX.

``python -m tddfa.export_onnx weights/mb1_120x120.pth`` writes ``weights/mb1_120x120.onnx`` and
checks it against PyTorch.
"""

import argparse
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.assets import find_asset
from tddfa.cli import run_main
from tddfa.errors import InputError

logger = logging.getLogger(__name__)

TOLERANCE = 1e-4


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
    from tddfa.mobilenet import load_mobilenet, load_state_dict

    state = load_state_dict(checkpoint)
    if any(key.startswith("inception1.") for key in state):
        from FaceBoxes.export import export_onnx as export_detector

        export_detector(checkpoint, onnx_fp)
        return 0.0
    return _export_regressor(load_mobilenet(checkpoint), Path(onnx_fp), size)


def _export_regressor(network: Any, target: Path, size: int) -> float:
    import torch

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(suffix=".onnx", dir=target.parent)
    except OSError as error:
        raise InputError(f"cannot write '{target}': {error.strerror}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        example = torch.rand(2, 3, size, size) * 2 - 1
        torch.onnx.export(
            network,
            (example,),
            temporary,
            input_names=["input"],
            output_names=["output"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        difference = _difference(network, temporary, size)
        if difference > TOLERANCE:
            raise InputError(f"'{target}': differs from PyTorch by {difference:.1e}")
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return difference


def _difference(network: Any, onnx_fp: Path, size: int) -> float:
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(onnx_fp), providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    worst = 0.0
    for n in (1, 3):
        batch = generator.uniform(-1, 1, (n, 3, size, size)).astype(np.float32)
        (actual,) = session.run(None, {"input": batch})
        with torch.inference_mode():
            expected = network(torch.from_numpy(batch)).numpy()
        worst = max(worst, float(np.abs(actual - expected).max()))
    return worst


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tddfa.export_onnx", description=__doc__)
    parser.add_argument("checkpoint", help=".pth file of the regressor or of FaceBoxes")
    parser.add_argument("--out", help="target (default: beside the checkpoint)")
    parser.add_argument("--size", type=int, default=120, help="regressor's input (%(default)s)")
    args = parser.parse_args(argv)
    checkpoint = find_asset(args.checkpoint)
    target = Path(args.out) if args.out else checkpoint.with_suffix(".onnx")
    difference = export_onnx(checkpoint, target, args.size)
    logger.info("wrote %s, differs from PyTorch by %.1e", target, difference)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
