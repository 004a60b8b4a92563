"""Align faces live, from a camera or anything that can stand in for one."""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tddfa.aligner import Aligner
from tddfa.arguments import (
    add_detection_arguments,
    add_model_arguments,
    positive_int,
    whole_number,
)
from tddfa.errors import InputError
from tddfa.io.results import results_folder, results_place
from tddfa.live.osc import Destination
from tddfa.live.outlets import CameraOutlet, OscOutlet, Outlet, VmcOutlet
from tddfa.outputs import OutputSettings, describe_outputs, output_names
from tddfa.pipelines import build_tracking_pipeline, has_blendshape_head, tracker_settings
from tddfa.tracking.live_smoothing import smooth_one_euro
from tddfa.tracking.smoothing import smooth_mean
from tddfa.tracking.tracker import FaceTracker
from tddfa.video.camera import NewestFrame, open_source
from tddfa.video.display import Window, check_display
from tddfa.video.live_view import HELP, LiveView, Smoother, statistics_line
from tddfa.video.uninterrupted import sigterm_interrupts

DEMO = "demo_webcam.py"
KIND = "webcam"  # folder within that for results


def parse_args(argv: Sequence[str] | None = None, prog: str = DEMO) -> argparse.Namespace:
    """Parse the command line of ``demo_webcam.py``, or of the command that `prog` names."""
    demo = prog == DEMO
    flag = " --onnx" if demo else ""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"keys: {HELP}\n"
        "examples:\n"
        f"  {prog}{flag}\n"
        f"  {prog} --source rtsp://camera/stream -o 3d{flag}\n"
        f"  {prog} --source clip.mp4 --headless --frames 100{flag}\n"
        f"  {prog} --vmc localhost:39539{flag}\n"
        "exit codes: 0 done, 2 bad input (no camera, no display, …), 130 interrupted",
    )
    parser.add_argument(
        "--source",
        default="0",
        metavar="SOURCE",
        help="camera index, device path, URL, or a file as camera (default: %(default)s)",
    )
    parser.add_argument(
        "-o",
        "--opt",
        default="2d_sparse",
        choices=output_names(video=True),
        metavar="OPT",
        help=f"first output: {describe_outputs(video=True)} (default: %(default)s)",
    )
    parser.add_argument(
        "--faces",
        default="all",
        choices=("one", "all"),
        help="follow every face, or the largest alone (default: %(default)s)",
    )
    parser.add_argument(
        "--smooth",
        choices=("none", "mean", "one_euro"),
        help="1€ filter, or the mean over neighboring frames, which shows the picture n_next "
        "frames late (default: one_euro; mean if -n_pre or -n_next is given)",
    )
    parser.add_argument(
        "-n_pre", "--n_pre", type=whole_number, help="mean: frames before (default: 1)"
    )
    parser.add_argument(
        "-n_next", "--n_next", type=whole_number, help="mean: frames after (default: 1)"
    )
    parser.add_argument("--no_mirror", action="store_true", help="do not mirror the picture")
    parser.add_argument("--headless", action="store_true", help="open no window")
    parser.add_argument(
        "--frames", type=positive_int, metavar="N", help="end after N frames (default: never)"
    )
    parser.add_argument(
        "--out",
        default=str(results_folder(KIND)),
        metavar="FOLDER",
        help=f"folder for saved pictures and recordings (default: {results_place(KIND)})",
    )
    parser.add_argument(
        "--record", action="store_true", help="record from the beginning, as after the key r"
    )
    parser.add_argument(
        "--no_background", action="store_true", help="draw on black instead of the picture"
    )
    _add_live_arguments(parser)
    add_model_arguments(parser, onnx=not demo)
    add_detection_arguments(parser)
    return parser.parse_args(argv)


def _add_live_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("to other programs, at the camera's rate")
    group.add_argument(
        "--vmc",
        metavar="HOST:PORT",
        help="move an avatar by the VMC protocol: head and ARKit's blendshapes of one face "
        "(avatars listen at port 39539; pip install python-osc)",
    )
    group.add_argument(
        "--vmc_mirror", action="store_true", help="the avatar moves as an image in a mirror"
    )
    group.add_argument(
        "--osc", metavar="HOST:PORT", help="send every face by plain OSC, see docs/live.md"
    )
    group.add_argument(
        "--virtual_camera",
        nargs="?",
        const="",
        metavar="DEVICE",
        help="be a camera that shows the picture to other programs (pip install pyvirtualcam)",
    )


def main(argv: Sequence[str] | None = None, prog: str = DEMO) -> int:
    """Run the command line and return its exit code."""
    with sigterm_interrupts():
        return _run(parse_args(argv, prog))


def _run(args: argparse.Namespace) -> int:
    if min(args.n_pre or 0, args.n_next or 0) < 0:
        raise InputError(f"n_pre, n_next: expected 0 or more, got {args.n_pre} and {args.n_next}")
    if Path(args.out).exists() and not Path(args.out).is_dir():
        raise InputError(f"--out '{args.out}': expected a folder, found a file")
    if args.vmc_mirror and not args.vmc:
        raise InputError("--vmc_mirror: expected --vmc HOST:PORT as well")
    if not args.headless:
        check_display()
    with contextlib.ExitStack() as stack:
        # Bad names are found before the networks load.
        outlets: list[Outlet] = []
        for outlet in _outlets(args):
            outlets.append(outlet)
            stack.callback(outlet.close)
        return _view(args, outlets)


def _outlets(args: argparse.Namespace) -> Iterator[Outlet]:
    """Yield where faces go besides the screen."""
    if args.vmc is not None:
        yield VmcOutlet(Destination.parse(args.vmc, "--vmc"), args.vmc_mirror)
    if args.osc is not None:
        yield OscOutlet(Destination.parse(args.osc, "--osc"))
    if args.virtual_camera is not None:
        yield CameraOutlet(args.virtual_camera or None)


def _view(args: argparse.Namespace, outlets: list[Outlet]) -> int:
    source = open_source(args.source)
    try:
        args.threads = args.threads or 1
        sent = args.vmc is not None or args.osc is not None
        args.blendshapes = sent and has_blendshape_head(args)
        pipeline = build_tracking_pipeline(args)
        limit = 1 if args.faces == "one" else None
        settings = tracker_settings(args, max_faces=limit)
        tracker = FaceTracker(
            pipeline.tracking_detector, pipeline.aligner, settings, pipeline.check
        )
    except BaseException:
        source.close()
        raise
    with NewestFrame(source) as camera:
        view = LiveView(
            camera,
            tracker,
            _smoother(args, pipeline.aligner),
            option=args.opt,
            folder=Path(args.out),
            mirror=not args.no_mirror,
            settings=OutputSettings(n_threads=args.threads, background=not args.no_background),
            outlets=outlets,
        )
        if args.record:
            view.press("r")
        try:
            if args.headless:
                view.run(None, args.frames)
            else:
                with Window("3D dense face alignment") as window:
                    view.run(window.show, args.frames)
        finally:
            sys.stdout.write(f"{args.source}: {statistics_line(view.statistics)}\n")
    return 0


def _smoother(args: argparse.Namespace, aligner: Aligner) -> Smoother:
    given = args.n_pre is not None or args.n_next is not None
    kind = args.smooth or ("mean" if given else "one_euro")
    if kind == "one_euro":
        return partial(smooth_one_euro, aligner=aligner)
    if kind == "mean":
        n_pre = 1 if args.n_pre is None else args.n_pre
        n_next = 1 if args.n_next is None else args.n_next
        return partial(smooth_mean, n_pre=n_pre, n_next=n_next)
    return iter
