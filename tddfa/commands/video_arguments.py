"""The command line of the demos for videos and of ``tddfa video``."""

import argparse
from fractions import Fraction

from tddfa.arguments import (
    add_blendshape_argument,
    add_detection_arguments,
    add_model_arguments,
    positive_int,
    whole_number,
)
from tddfa.io.results import results_place
from tddfa.outputs import describe_outputs, output_names
from tddfa.records import RECORD_FORMATS
from tddfa.tracking.settings import TrackerSettings
from tddfa.video.open_film import parse_fps

KIND = "videos"  # folder within that for results
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")


def video_parser(
    description: str, epilog: str, *, smooth: str, prog: str | None = None, onnx: bool = False
) -> argparse.ArgumentParser:
    """Return a parser whose default smoother is `smooth` and whose default backend is `onnx`."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog
        + "\nexit codes: 0 done, 2 bad input, 130 interrupted (what was made is kept)",
    )
    parser.add_argument(
        "-f",
        "--video_fp",
        required=True,
        metavar="FILE",
        help="video, animated picture, URL, numbered pictures (frame_%%04d.png) or their folder",
    )
    parser.add_argument(
        "--fps",
        type=_fps,
        metavar="RATE",
        help="pictures per second of numbered pictures or a folder, as 25, 29.97 or 30000/1001 "
        "(default: 25)",
    )
    parser.add_argument(
        "-o",
        "--opt",
        default="2d_sparse",
        choices=output_names(video=True),
        metavar="OPT",
        help=f"output: {describe_outputs(video=True)} (default: %(default)s)",
    )
    parser.add_argument(
        "--faces",
        default="all",
        choices=("one", "all"),
        help="follow every face, or the largest alone (default: %(default)s)",
    )
    parser.add_argument(
        "--smooth",
        default=smooth,
        choices=("none", "mean", "one_euro"),
        help="mean over neighboring frames, or a 1€ filter (default: %(default)s)",
    )
    parser.add_argument(
        "-n_pre",
        "--n_pre",
        default=1,
        type=whole_number,
        help="mean: frames before (default: %(default)s)",
    )
    parser.add_argument(
        "-n_next",
        "--n_next",
        default=1,
        type=whole_number,
        help="mean: frames after (default: %(default)s)",
    )
    parser.add_argument(
        "-s",
        "--start",
        default=-1,
        type=whole_number,
        help="first frame, from 0 (default: the video's)",
    )
    parser.add_argument(
        "-e", "--end", default=-1, type=whole_number, help="last frame (default: the video's)"
    )
    parser.add_argument(
        "--detect_every",
        default=TrackerSettings.detect_every,
        type=positive_int,
        metavar="N",
        help="search the whole picture for faces every N frames (default: %(default)s)",
    )
    add_model_arguments(parser, onnx)
    add_detection_arguments(parser)
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out",
        metavar="FILE",
        help="video to write, or numbered pictures (frame_%%04d.png), or a folder for them "
        f"(default: a video in {results_place(KIND)})",
    )
    group.add_argument(
        "--start_number",
        type=_number,
        metavar="N",
        help="number of the first picture written (default: that of the picture read, else of the "
        "frame, from 0)",
    )
    group.add_argument(
        "--crf",
        default=20,
        type=whole_number,
        help="x264's quality, 0 best to 51 (default: %(default)s)",
    )
    group.add_argument(
        "--preset",
        default="superfast",
        choices=PRESETS,
        help="x264's preset; slower ones make smaller files (default: %(default)s)",
    )
    group.add_argument(
        "--save_params",
        metavar="FILE",
        help="parameters and landmarks: .npz, .csv, .jsonl or .parquet",
    )
    group.add_argument(
        "--animation",
        metavar="FILE",
        help="animated heads with texture and 52 blendshapes, .glb; of several people each gets "
        "a file with its track's id (docs/avatars.md)",
    )
    add_blendshape_argument(group, "ARKit's 52 coefficients as well in --save_params")
    group.add_argument(
        "--record_format",
        choices=RECORD_FORMATS,
        default="own",
        help="columns of --save_params: our own, or those of Live Link Face or OpenFace (.csv)",
    )
    group.add_argument(
        "--no_background", action="store_true", help="draw on black instead of the frames"
    )
    group.add_argument("--labels", action="store_true", help="draw box, id and score of each face")
    group.add_argument(
        "--fail_on_no_face", action="store_true", help="a video without a face is an error"
    )
    return parser


def _fps(text: str) -> Fraction:
    try:
        return parse_fps(text)
    except (ValueError, ArithmeticError):
        message = f"expected a rate over 0 and up to 1000, got {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"expected a number from 0 up, got {text!r}")
    return int(text)
