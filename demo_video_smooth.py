"""Align every face in a video, smoothed over neighboring frames with a look ahead."""

from collections.abc import Sequence

from tddfa.cli import run_main
from tddfa.commands.video import run_video
from tddfa.commands.video_arguments import video_parser

EXAMPLES = """examples:
  demo_video_smooth.py -f clip.mp4 -o 3d --onnx
  demo_video_smooth.py -f clip.mp4 -n_pre 2 -n_next 2 -s 100 -e 199 --onnx"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = video_parser(__doc__ or "", EXAMPLES, smooth="mean")
    return run_video(parser.parse_args(argv), suffix="_smooth")


if __name__ == "__main__":
    raise SystemExit(run_main(main))
