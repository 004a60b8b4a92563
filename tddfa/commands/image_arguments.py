"""The command line of ``demo.py`` and ``tddfa image``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tddfa.arguments import (
    add_detection_arguments,
    add_model_arguments,
    add_second_look_argument,
    score,
    true_or_false,
)
from tddfa.assets import project_root
from tddfa.io.results import results_place
from tddfa.outputs import describe_outputs, output_names

DESCRIPTION = "Align every face in pictures: landmarks, meshes, pose, depth, PNCC, texture."
DEMO = "demo.py"
EXAMPLE = Path("examples/inputs/astronaut.png")  # of the checkout


def parse_args(argv: Sequence[str] | None = None, prog: str = DEMO) -> argparse.Namespace:
    """Parse the command line of ``demo.py``, or of the command that `prog` names."""
    demo = prog == DEMO
    flag = " --onnx" if demo else ""
    example = example_picture()
    parser = argparse.ArgumentParser(
        prog=prog,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        f"  {prog} -f photo.jpg -o 3d{flag}\n"
        f"  {prog} -f photos/ -o all --out results --json results/faces.json{flag}\n"
        f"  {prog} -f photo.jpg -o obj --texture --out head.obj{flag}\n"
        "exit codes: 0 done, 1 some of several pictures failed, 2 bad input",
    )
    parser.add_argument(
        "-f",
        "--img_fp",
        nargs="+",
        required=example is None,
        default=[str(example)],
        metavar="PATH",
        help="pictures or folders of pictures" + (f" (default: {example})" if example else ""),
    )
    parser.add_argument(
        "-o",
        "--opt",
        nargs="+",
        default=["2d_sparse"],
        choices=[*output_names(), "all"],
        metavar="OPT",
        help=f"outputs: {describe_outputs()}, or all (default: 2d_sparse)",
    )
    add_model_arguments(parser, onnx=not demo)
    group = add_detection_arguments(parser)
    group.add_argument(
        "--detect_scale",
        type=score,
        metavar="SCALE",
        help="search in tiles at this scale: 1 full resolution, 0 no tiles; below 1 at no other "
        "scale for small faces or none (default: tiles for very long and very large pictures, as "
        "fine as about a second allows)",
    )
    add_second_look_argument(group)
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out",
        metavar="PATH",
        help=f"folder, or file for one picture and one output (default: {results_place()})",
    )
    group.add_argument("--json", metavar="FILE", help="write boxes, pose, landmarks, parameters")
    group.add_argument(
        "--show_flag",
        type=true_or_false,
        metavar="true|false",
        help="show pictures in a window (default: true for one picture, false for several)",
    )
    group.add_argument(
        "--ply_format", choices=("ascii", "binary"), default="ascii", help="default: %(default)s"
    )
    group.add_argument(
        "--texture", action="store_true", help="obj: texture coordinates, .mtl and .png"
    )
    group.add_argument(
        "--plain_texture",
        action="store_true",
        help="uv_tex, obj: what the picture has at each place of the mesh, hidden or not, as the "
        "reference does (default: hidden parts from the mirrored side, then smoothly)",
    )
    group.add_argument(
        "--frontal",
        action="store_true",
        help="ply, obj: meshes without pose, facing the viewer, in the face model's unit "
        "(millimeters in ours), several faces side by side",
    )
    group.add_argument(
        "--no_background",
        action="store_true",
        help="drawings on black instead of the picture",
    )
    group.add_argument(
        "--fail_on_no_face", action="store_true", help="a picture without a face is an error"
    )
    return parser.parse_args(argv)


def example_picture() -> Path | None:
    """Return the picture that a checkout brings, from wherever it is called; None if installed."""
    if EXAMPLE.is_file():
        return EXAMPLE
    path = project_root() / EXAMPLE
    return path if path.is_file() else None
