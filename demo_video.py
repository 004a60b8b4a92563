"""Align every face in a video and draw landmarks, meshes, pose, depth or PNCC into it."""

from collections.abc import Sequence

from tddfa.cli import run_main
from tddfa.commands.video import run_video
from tddfa.commands.video_arguments import video_parser

EXAMPLES = """examples:
  demo_video.py -f clip.mp4 -o 3d --onnx
  demo_video.py -f clip.mp4 -o 2d_sparse --faces one --smooth one_euro --out out.mp4 --onnx
  demo_video.py -f clip.mp4 -s 100 -e 199 --save_params faces.csv --onnx"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = video_parser(__doc__ or "", EXAMPLES, smooth="none")
    return run_video(parser.parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(run_main(main))
