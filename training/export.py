"""Make the files that ship out of a run: ``.pth``, ``.onnx``, mean and std, SHA-256.

``python -m training.export runs/mb05 --name mb05_120x120``

``python -m training.export runs/faceboxes --name FaceBoxesProd``
"""

import argparse
import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from FaceBoxes.network import load_network
from tddfa.checkpoints import load_state_dict
from tddfa.cli import run_main
from tddfa.export_onnx import export_onnx
from tddfa.io.atomic import replacing, save_arrays
from tddfa.mobilenet import load_mobilenet
from tddfa.params import load_parameter_scale

logger = logging.getLogger(__name__)


def export(run: Path, name: str, weights: Path, configs: Path, *, half: bool = True) -> list[Path]:
    """Write ``<weights>/<name>.pth``, ``.onnx`` and ``<configs>/param_mean_std_62d.npz``.

    Parameters
    ----------
    run : Path
        Folder of a run of ``training.train`` or ``training.detector.train``; a detector has no
        third file.
    name : str
    weights, configs : Path
        Target folders.
    half : bool
        Keep weights as float16 in the ``.pth``; readers widen them. Batch statistics stay float32.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the run has no weights or ONNX Runtime's output differs from PyTorch's.
    """
    detector = any(key.startswith("inception1.") for key in load_state_dict(run / "weights.pth"))
    load = load_network if detector else load_mobilenet
    state = load(run / "weights.pth").state_dict()
    if half:
        state = {
            key: value.half() if value.is_floating_point() and value.ndim > 1 else value
            for key, value in state.items()
        }
    checkpoint, onnx = weights / f"{name}.pth", weights / f"{name}.onnx"
    with replacing(checkpoint) as temporary:
        torch.save({"state_dict": state}, temporary)
    # From the file, so that both hold the same rounded weights.
    export_onnx(checkpoint, onnx)
    if detector:
        return [checkpoint, onnx]
    scale = load_parameter_scale(run / "param_mean_std.npz")
    table = configs / f"param_mean_std_{len(scale.mean)}d.npz"
    save_arrays(table, mean=scale.mean, std=scale.std)
    return [checkpoint, onnx, table]


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--name", required=True, help="name of the files, such as mb05_120x120")
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--float32", action="store_true", help="do not halve the .pth")
    args = parser.parse_args(argv)
    files = export(args.run, args.name, args.weights, args.configs, half=not args.float32)
    for path in files:
        print(f"{sha256(path)}  {path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
