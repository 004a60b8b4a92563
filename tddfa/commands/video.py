"""Command line of the video demos."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from tddfa.arguments import (
    add_detection_arguments,
    add_model_arguments,
    build_pipeline,
    positive_int,
    tracker_settings,
)
from tddfa.cli import EXIT_BAD_INPUT
from tddfa.errors import InputError
from tddfa.io.targets import RunFile, check_targets
from tddfa.run_files import model_files
from tddfa.tracking.frames import Frame
from tddfa.tracking.tracker import TrackerSettings
from tddfa.video.job import Summary, VideoJob, run_job
from tddfa.video.outputs import VIDEO_OPTIONS
from tddfa.video.reader import VideoReader
from tddfa.video.records import check_record_path

RESULTS = Path("examples/results/videos")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")


def video_parser(description: str, epilog: str, *, smooth: str) -> argparse.ArgumentParser:
    """Return a parser whose default smoother is `smooth`."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog
        + "\nexit codes: 0 done, 2 bad input, 130 interrupted (what was made is kept)",
    )
    parser.add_argument("-f", "--video_fp", required=True, metavar="FILE", help="video to read")
    parser.add_argument(
        "-o",
        "--opt",
        default="2d_sparse",
        choices=VIDEO_OPTIONS,
        help="output (default: %(default)s)",
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
        "-n_pre", "--n_pre", default=1, type=int, help="mean: frames before (default: %(default)s)"
    )
    parser.add_argument(
        "-n_next", "--n_next", default=1, type=int, help="mean: frames after (default: %(default)s)"
    )
    parser.add_argument(
        "-s", "--start", default=-1, type=int, help="first frame, from 0 (default: the video's)"
    )
    parser.add_argument(
        "-e", "--end", default=-1, type=int, help="last frame (default: the video's)"
    )
    parser.add_argument(
        "--detect_every",
        default=TrackerSettings.detect_every,
        type=positive_int,
        metavar="N",
        help="search the whole picture for faces every N frames (default: %(default)s)",
    )
    add_model_arguments(parser)
    add_detection_arguments(parser)
    group = parser.add_argument_group("output")
    group.add_argument("--out", metavar="FILE", help=f"video to write (default: in {RESULTS})")
    group.add_argument(
        "--crf", default=20, type=int, help="x264's quality, 0 best to 51 (default: %(default)s)"
    )
    group.add_argument(
        "--preset",
        default="superfast",
        choices=PRESETS,
        help="x264's preset; slower ones make smaller files (default: %(default)s)",
    )
    group.add_argument(
        "--save_params", metavar="FILE", help="parameters and landmarks: .npz, .csv or .jsonl"
    )
    group.add_argument(
        "--no_background", action="store_true", help="draw on black instead of the frames"
    )
    group.add_argument("--labels", action="store_true", help="draw box, id and score of each face")
    group.add_argument(
        "--fail_on_no_face", action="store_true", help="a video without a face is an error"
    )
    return parser


def run_video(args: argparse.Namespace, suffix: str = "") -> int:
    """Make the video that parsed arguments ask for and return the exit code."""
    source = Path(args.video_fp)
    target = Path(args.out) if args.out else RESULTS / f"{source.stem}_{args.opt}{suffix}.mp4"
    _check(args, source, target)
    # Bad input is the likeliest fault: find it before the networks are loaded.
    with VideoReader(source) as reader:
        # The stages run side by side; threads within them would only get in their way.
        drawing = args.threads or 1
        args.threads = drawing
        pipeline = build_pipeline(args)
        limit = 1 if args.faces == "one" else None
        if reader.n_frames is not None and args.end >= reader.n_frames - 1:
            args.end = -1  # nothing is left out at the end
        job = VideoJob(
            source,
            target,
            option=args.opt,
            smooth=args.smooth,
            n_pre=args.n_pre,
            n_next=args.n_next,
            start=args.start,
            end=args.end,
            crf=args.crf,
            preset=args.preset,
            labels=args.labels,
            background=not args.no_background,
            n_threads=drawing,
            records=Path(args.save_params) if args.save_params else None,
            settings=tracker_settings(args, detect_every=args.detect_every, max_faces=limit),
        )
        summary = Summary()
        with Progress(_length(job, reader)) as progress:
            try:
                run_job(job, reader, pipeline, summary, progress)
            finally:
                if summary.frames:
                    progress.write(_report(job, summary))
    if not summary.with_face:
        sys.stderr.write(f"{source}: no face detected\n")
        if args.fail_on_no_face:
            sys.stderr.write(f"error: {source}: no face in {summary.frames} frames\n")
            return EXIT_BAD_INPUT
    return 0


def _check(args: argparse.Namespace, source: Path, target: Path) -> None:
    if args.n_pre < 0 or args.n_next < 0:
        raise InputError(f"n_pre, n_next: expected 0 or more, got {args.n_pre} and {args.n_next}")
    if args.start < -1 or args.end < -1:
        raise InputError(f"start, end: expected -1 or more, got {args.start} and {args.end}")
    if 0 <= args.end < args.start:
        raise InputError(f"end: expected at least start ({args.start}), got {args.end}")
    if args.save_params:
        check_record_path(args.save_params)
    outputs = [RunFile(target, "--out")]
    if args.save_params:
        outputs.append(RunFile(Path(args.save_params), "--save_params"))
    inputs = [RunFile(source, "video"), *model_files(args.config, args.assets)]
    check_targets(inputs, outputs)


def _length(job: VideoJob, reader: VideoReader) -> int | None:
    total = reader.n_frames
    if job.end >= 0:
        total = min(total or job.end + 1, job.end + 1)
    return None if total is None else max(0, total - max(job.start, 0))


def _report(job: VideoJob, summary: Summary) -> str:
    parts = [f"{summary.frames} frames"]
    if summary.skipped:
        parts.append(f"{summary.skipped} damaged ones skipped")
    count = len(summary.ids)
    parts.append(f"{count} face{'' if count == 1 else 's'} in {summary.with_face} frames")
    lines = [f"{job.source}: {', '.join(parts)}", f"  {job.option} -> {job.target}"]
    if job.records:
        lines.append(f"  parameters -> {job.records}")
    return "\n".join(lines)


class Progress:
    """Progress bar with frames per second and number of faces, where somebody can see it.

    Within the block a polite request to end (SIGTERM) is answered like Ctrl-C.
    """

    def __init__(self, total: int | None) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, unit="frame", disable=None)

    def __call__(self, frame: Frame) -> None:
        """Count a frame."""
        self._bar.set_postfix(faces=len(frame.faces), refresh=False)
        self._bar.update()

    def write(self, text: str) -> None:
        """End the bar and print a text."""
        self._bar.close()
        sys.stdout.write(text + "\n")

    def __enter__(self) -> "Progress":
        self._before = signal.signal(signal.SIGTERM, _interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)
        self._bar.close()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
