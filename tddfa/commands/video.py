"""Align every face in a video and draw landmarks, meshes, pose, depth or PNCC into it."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tddfa.cli import EXIT_BAD_INPUT
from tddfa.commands.video_arguments import KIND, video_parser
from tddfa.commands.video_report import Progress, report
from tddfa.errors import InputError
from tddfa.io.results import results_folder
from tddfa.io.targets import RunFile, check_targets
from tddfa.pipelines import build_tracking_pipeline, has_blendshape_head, tracker_settings
from tddfa.records import check_record_target
from tddfa.run_files import model_files
from tddfa.video.container import is_url
from tddfa.video.frame_reader import FrameReader
from tddfa.video.head_recorder import numbered_heads
from tddfa.video.job import Summary, VideoJob, run_job
from tddfa.video.open_film import film_stem, open_film
from tddfa.video.sequence_names import FOLDER_NAME, SequenceName, is_sequence_name
from tddfa.video.sequence_reader import SequenceReader
from tddfa.video.uninterrupted import sigterm_interrupts
from tddfa.video.writer import FORMATS


def main(argv: Sequence[str], prog: str) -> int:
    """Run the command that `prog` names and return its exit code."""
    examples = (
        "examples:\n"
        f"  {prog} -f clip.mp4 -o 3d\n"
        f"  {prog} -f clip.mp4 --smooth mean -n_pre 2 -n_next 2\n"
        f"  {prog} -f clip.mp4 -o 2d_sparse --faces one --smooth one_euro --out out.mp4\n"
        f"  {prog} -f clip.mp4 -s 100 -e 199 --save_params faces.csv"
    )
    parser = video_parser(__doc__ or "", examples, smooth="none", prog=prog, onnx=True)
    args = parser.parse_args(argv)
    return run_video(args, suffix="" if args.smooth == "none" else "_smooth")


@dataclass(frozen=True)
class RunFiles:
    """The files of one run.

    Attributes
    ----------
    inputs : tuple of Path
        What is read; of a sequence every picture, of a URL nothing.
    outputs : tuple of Path
        What may be written: video or pictures, and records.
    """

    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]


def run_video(args: argparse.Namespace, suffix: str = "") -> int:
    """Make the video that parsed arguments ask for and return the exit code."""
    with sigterm_interrupts():
        return _run(args, suffix)


def _run(args: argparse.Namespace, suffix: str) -> int:
    source = args.video_fp
    target = _target(args, source, suffix)
    _check(args)
    # Bad input is the likeliest fault: find it before the networks are loaded.
    with open_film(source, args.fps) as reader:
        if args.start_number is not None and isinstance(target, Path):
            raise InputError("--start_number: expected numbered pictures or a folder as --out")
        _check_files(args, run_files(args, reader, target))
        # The stages run side by side; threads within them would only get in their way.
        drawing = args.threads or 1
        args.threads = drawing
        recorded = args.blendshapes or args.record_format == "livelink"
        args.blendshapes = recorded or (args.animation is not None and has_blendshape_head(args))
        pipeline = build_tracking_pipeline(args)
        limit = 1 if args.faces == "one" else None
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
            record_format=args.record_format,
            record_blendshapes=recorded,
            animation=Path(args.animation) if args.animation else None,
            first_number=args.start_number,
            settings=tracker_settings(args, detect_every=args.detect_every, max_faces=limit),
        )
        summary = Summary()
        with Progress(_length(job, reader)) as progress:
            failed = False
            try:
                run_job(job, reader, pipeline, summary, progress)
            except InputError:
                failed = True
                raise
            finally:  # also of what Ctrl-C left
                if summary.frames and not failed:
                    progress.write(report(job, summary))
    if not summary.with_face:
        sys.stderr.write(f"{source}: no face detected\n")
        if args.fail_on_no_face:
            sys.stderr.write(f"error: {source}: no face in {summary.frames} frames\n")
            return EXIT_BAD_INPUT
    return 0


def _target(args: argparse.Namespace, source: str, suffix: str) -> Path | SequenceName:
    """Return the video or the pictures to write."""
    if not args.out:
        return results_folder(KIND) / f"{film_stem(source)}_{args.opt}{suffix}.mp4"
    out = Path(args.out)
    if out.is_dir() or args.out.endswith(("/", os.sep)) or not out.suffix:
        return SequenceName.parse(str(out / FOLDER_NAME))
    if out.suffix.lower() in FORMATS:
        return out
    if is_sequence_name(args.out):
        return SequenceName.parse(args.out)
    raise InputError(
        f"--out '{args.out}': expected a name ending in {', '.join(FORMATS)}, "
        "numbered pictures (frame_%04d.png) or a folder"
    )


def run_files(
    args: argparse.Namespace, reader: FrameReader, target: Path | SequenceName
) -> RunFiles:
    """Return every file that a run reads, and every one that it may write."""
    inputs: Iterable[Path] = []
    if isinstance(reader, SequenceReader):
        inputs = reader.paths
    elif not is_url(args.video_fp):
        inputs = [Path(args.video_fp)]
    outputs = [Path(args.save_params)] if args.save_params else []
    if args.animation:
        outputs += [Path(args.animation), *numbered_heads(Path(args.animation))]
    if isinstance(target, Path):
        outputs.append(target)
    elif args.start_number is None and reader.numbers is not None:
        outputs += [target.path(number) for number in reader.numbers]
    else:  # how many pictures come is not known: whatever has such a name may be written over
        first = args.start_number or 0
        with contextlib.suppress(InputError):
            outputs += [path for number, path in target.find() if number >= first]
    return RunFiles(tuple(inputs), tuple(outputs))


def _check(args: argparse.Namespace) -> None:
    if args.n_pre < 0 or args.n_next < 0:
        raise InputError(f"n_pre, n_next: expected 0 or more, got {args.n_pre} and {args.n_next}")
    if args.start < -1 or args.end < -1:
        raise InputError(f"start, end: expected -1 or more, got {args.start} and {args.end}")
    if 0 <= args.end < args.start:
        raise InputError(f"end: expected at least start ({args.start}), got {args.end}")
    if args.blendshapes and not args.save_params:
        raise InputError("--blendshapes: expected --save_params as well")
    if args.record_format != "own" and not args.save_params:
        raise InputError("--record_format: expected --save_params as well")
    if args.animation and Path(args.animation).suffix.lower() != ".glb":
        raise InputError(f"--animation '{args.animation}': expected a name ending in .glb")
    if args.save_params:
        check_record_target(args.save_params, args.record_format)


def _check_files(args: argparse.Namespace, files: RunFiles) -> None:
    """Raise `InputError` if an output of the run is one of its inputs, or of its other outputs."""
    records = Path(args.save_params) if args.save_params else None
    inputs = [RunFile(path, "video") for path in files.inputs]
    animation = Path(args.animation) if args.animation else None
    flags = {records: "--save_params", animation: "--animation"}
    flags |= dict.fromkeys(numbered_heads(animation) if animation else (), "--animation")
    outputs = [RunFile(path, flags.get(path, "--out")) for path in files.outputs]
    check_targets([*inputs, *model_files(args.config, args.assets)], outputs)


def _length(job: VideoJob, reader: FrameReader) -> int | None:
    total = reader.n_frames
    if job.end >= 0:
        total = min(total or job.end + 1, job.end + 1)
    return None if total is None else max(0, total - max(job.start, 0))
