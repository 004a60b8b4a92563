"""Command-line arguments that the demos share."""

import argparse
import math
import re
from typing import Any

from FaceBoxes.settings import DetectorSettings
from tddfa.assets import ASSETS_VARIABLE, DEFAULT_CONFIG, NAMED_CONFIGS


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
    chosen = group.add_mutually_exclusive_group()
    chosen.add_argument(
        "-c",
        "--config",
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help="configuration: weights and face model (default: %(default)s)",
    )
    chosen.add_argument(
        "--weights",
        dest="config",
        default=argparse.SUPPRESS,
        type=named_config,
        metavar=f"{{{','.join(NAMED_CONFIGS)}}}",
        help="the same by name: default (x1.0), small (x0.5: faster, a little less exact), or free "
        "and free-small (the same for any use, less exact; see weights/README.md)",
    )
    group.add_argument(
        "-m",
        "--mode",
        default="cpu",
        choices=("cpu", "gpu"),
        help="where the networks run; gpu means CUDA (default: %(default)s)",
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
    backend.add_argument(
        "--backend",
        choices=("onnx", "openvino", "torch"),
        help="the same by name; openvino (pip install openvino) is fastest on processors with "
        "bfloat16",
    )
    parser.set_defaults(onnx_by_default=onnx)
    group.add_argument(
        "--precision",
        default="auto",
        choices=("auto", "float32", "bfloat16", "int8"),
        help="what networks compute in: bfloat16 with openvino, int8 with onnx, and of the "
        "regressor alone (default: float32, for videos and cameras with onnx int8 where the "
        "processor has instructions for it; with openvino bfloat16 where it has that)",
    )
    group.add_argument(
        "--provider",
        metavar="NAME",
        help="with --onnx: ONNX Runtime's execution provider, such as cuda, tensorrt, coreml, "
        "openvino, dml (default: cpu; cuda with --mode gpu)",
    )
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


def add_detection_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the arguments that steer the face detector, and return their group."""
    group = parser.add_argument_group("detector")
    settings = DetectorSettings()
    group.add_argument(
        "--det_threshold",
        type=score,
        metavar="SCORE",
        help=f"faces with a score above this count, 0 to 1 (default: {settings.vis_thres})",
    )
    group.add_argument(
        "--det_size",
        type=picture_size,
        metavar="WIDTHxHEIGHT",
        help="larger pictures are scaled down to this before detection; one number for both, 0 for "
        "no limit; smaller is faster and misses small faces "
        f"(default: {settings.max_width}x{settings.max_height})",
    )
    group.add_argument(
        "--no_upright",
        action="store_true",
        help="align faces as they lie, however far they are rolled, instead of turning them "
        "upright first",
    )
    return group


def add_second_look_argument(parser: Any) -> None:
    """Add ``--no_second_look`` to a parser, or a group of it, of a command for still pictures."""
    parser.add_argument(
        "--no_second_look",
        action="store_true",
        help="look at each face once; by default it is looked at again, closer and in a mirror as "
        "well, which is more exact",
    )


def add_blendshape_argument(parser: Any, text: str) -> None:
    """Add ``--blendshapes`` to a parser or a group of it."""
    parser.add_argument("--blendshapes", action="store_true", help=text)


def named_config(text: str) -> str:
    """Parse a name of `NAMED_CONFIGS` as the configuration's path, for argparse."""
    try:
        return NAMED_CONFIGS[text]
    except KeyError:
        names = ", ".join(NAMED_CONFIGS)
        raise argparse.ArgumentTypeError(f"expected one of {names}, got {text!r}") from None


def positive_int(text: str) -> int:
    """Parse an integer from 1 up, for argparse."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer from 1 up, got {text!r}")
    return value


def whole_number(text: str) -> int:
    """Parse an integer, for argparse, whose own words do not say what it expects."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected an integer, got {text!r}") from None


def score(text: str) -> float:
    """Parse a number from 0 to 1, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value


def picture_size(text: str) -> tuple[int | None, int | None]:
    """Parse ``640``, ``1080x720`` or ``0`` as width and height, None for no limit; for argparse."""
    match = re.fullmatch(r"(\d{1,6})(?:[xX](\d{1,6}))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT or one number, got {text!r}")
    width = int(match[1])
    height = width if match[2] is None else int(match[2])
    return width or None, height or None


def true_or_false(text: str) -> bool:
    """Parse ``true`` or ``false`` as the reference's flags take them, for argparse."""
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    try:
        return words[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}") from None
