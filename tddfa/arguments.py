"""Command-line arguments that the demos share."""

import argparse
from pathlib import Path

from tddfa.assets import ASSETS_VARIABLE
from tddfa.errors import InputError
from tddfa.face_aligner import DEFAULT_CONFIG, FaceAligner


def add_model_arguments(parser: argparse.ArgumentParser, onnx: bool = False) -> None:
    """Add the arguments that choose networks, face model and device.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of a command.
    onnx : bool
        Whether ONNX Runtime is the default; else it is PyTorch, as with the reference.
    """
    group = parser.add_argument_group("model")
    group.add_argument(
        "-c",
        "--config",
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help="configuration: weights and face model (default: %(default)s)",
    )
    group.add_argument(
        "-m",
        "--mode",
        default="cpu",
        choices=("cpu", "gpu"),
        help="where PyTorch runs; with --onnx the CPU only (default: %(default)s)",
    )
    default = " (default, unless --mode gpu)"
    backend = group.add_mutually_exclusive_group()
    backend.add_argument(
        "--onnx",
        action="store_true",
        default=None,
        help=f"use ONNX Runtime: faster, and PyTorch is not loaded{default if onnx else ''}",
    )
    backend.add_argument(
        "--torch",
        dest="onnx",
        action="store_false",
        help=f"use PyTorch{'' if onnx else ' (default)'}",
    )
    parser.set_defaults(onnx_by_default=onnx)
    group.add_argument(
        "--assets",
        metavar="FOLDER",
        help=f"folder of files that are not part of the project (default: {ASSETS_VARIABLE})",
    )
    group.add_argument(
        "--threads",
        type=positive_int,
        metavar="N",
        help="threads of networks and drawing (default: one per core for networks, 2 for drawing)",
    )


def build_pipeline(args: argparse.Namespace) -> FaceAligner:
    """Build the networks that parsed arguments ask for.

    Raises
    ------
    InputError
        If a file is missing or malformed, or the device is not there.
    """
    onnx = args.onnx_by_default and args.mode != "gpu" if args.onnx is None else args.onnx
    if onnx and args.mode == "gpu":
        raise InputError("--mode gpu: the --onnx path runs on the CPU; drop one of the two")
    if args.assets is not None and not Path(args.assets).is_dir():
        raise InputError(f"--assets: expected an existing folder, got '{args.assets}'")
    return FaceAligner(
        args.config,
        backend="onnx" if onnx else "torch",
        device="cuda" if args.mode == "gpu" else "cpu",
        threads=args.threads,
        assets=args.assets,
    )


def positive_int(text: str) -> int:
    """Parse an integer from 1 up, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer from 1 up, got {text}")
    return value


def true_or_false(text: str) -> bool:
    """Parse ``true`` or ``false`` as the reference's flags take them, for argparse."""
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    try:
        return words[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}") from None
