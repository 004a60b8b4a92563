"""Align every face in pictures: landmarks, meshes, pose, depth, PNCC, texture."""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tddfa.cli import EXIT_BAD_INPUT, EXIT_FAILED
from tddfa.commands.image_arguments import DEMO, parse_args
from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.io.picture_paths import OutputPaths, expand_inputs, unique_stems
from tddfa.io.report import face_line, picture_record, write_json
from tddfa.io.targets import RunFile, check_targets
from tddfa.make_output import make_output, make_outputs
from tddfa.outputs import OUTPUTS, OutputSettings, output_names
from tddfa.pipelines import build_pipeline, has_blendshape_head, import_onnx_path
from tddfa.run_files import model_files
from tddfa.side_by_side import available_cores, side_by_side

if TYPE_CHECKING:
    from tddfa.face_aligner import FaceAligner


def main(argv: Sequence[str] | None = None, prog: str = DEMO) -> int:
    """Run the command line and return its exit code."""
    args = parse_args(argv, prog)
    options = output_names() if "all" in args.opt else list(dict.fromkeys(args.opt))
    pictures = expand_inputs(args.img_fp)
    suffixes = {name: output.suffix for name, output in OUTPUTS.items()}
    paths = OutputPaths(args.out, options, len(pictures), suffixes)
    if args.frontal and not {"ply", "obj"} & set(options):
        raise InputError(f"--frontal: expected ply or obj among the outputs, got {args.opt[0]}")
    if args.texture and "obj" not in options:
        raise InputError(f"--texture: expected obj among the outputs, got {args.opt[0]}")
    targets = [
        {option: paths.path(stem, option) for option in options} for stem in unique_stems(pictures)
    ]
    check_files(args, pictures, targets)
    several = len(pictures) > 1
    show = args.show_flag
    if show is None:  # what nobody asked for is not missed where Matplotlib is not installed
        show = not several and find_spec("matplotlib") is not None
    workers = 1 if show else pictures_at_once(args, len(pictures))
    if workers > 1:  # the cores are busy with a picture each
        args.threads = 1
    args.blendshapes = bool(args.json or "glb" in options) and has_blendshape_head(args)
    with ThreadPoolExecutor(1) as helper:
        import_onnx_path(args)
        opening = helper.submit(build_pipeline, args)
        from tddfa.io.pictures import imread  # OpenCV, which takes a while

        if not several:
            # Bad input is the likeliest fault: it is told before what the networks lack.
            image = imread(pictures[0])
        pipeline = opening.result()
    if "all" in args.opt:
        from tddfa.blendshapes import load_blendshapes

        if not load_blendshapes().belong_to(pipeline.aligner.bfm):
            for files in targets:  # of other meshes there are no blendshapes
                files.pop("glb")
    settings = OutputSettings(
        args.ply_format == "binary",
        args.texture,
        args.threads or 2,
        background=not args.no_background,
        frontal=args.frontal,
        plain_texture=args.plain_texture,
    )

    def work(item: tuple[Path, dict[str, Path]]) -> PictureReport:
        path, files = item
        # With others at work beside it, what is to be printed waits for the picture's turn.
        lines: list[str] = []
        say = lines.append if workers > 1 else print
        try:
            picture = imread(path) if several else image
            record = process(path, picture, pipeline, files, settings, show, say)
        except InputError as error:
            if not several:
                raise
            return PictureReport(lines, error=error)
        return PictureReport(lines, record)

    records, failures, without_face = [], [], 0
    start = time.monotonic()
    reports = side_by_side(work, zip(pictures, targets, strict=True), workers)
    with contextlib.closing(reports):
        for report in _progress(reports, len(pictures)):
            for line in report.lines:
                print(line)
            if report.record is None:
                failures.append(str(report.error))
                continue
            without_face += not report.record["faces"]
            records.append(report.record)
    if several:
        rate = len(records) / max(time.monotonic() - start, 1e-9)
        sys.stdout.write(f"{len(records)} pictures, {rate:.1f} pictures/s\n")
    if args.json:
        write_json(args.json, records)
    for failure in failures:
        sys.stderr.write(f"error: {failure}\n")
    if failures:
        sys.stderr.write(f"{len(failures)} of {len(pictures)} pictures failed\n")
        return EXIT_FAILED
    if without_face and args.fail_on_no_face:
        sys.stderr.write(f"error: {without_face} of {len(pictures)} pictures without a face\n")
        return EXIT_FAILED if several else EXIT_BAD_INPUT
    return 0


def check_files(
    args: argparse.Namespace, pictures: Sequence[Path], targets: Sequence[dict[str, Path]]
) -> None:
    """Raise `InputError` if an output of the run is one of its inputs, or of its other outputs."""
    inputs = [RunFile(path, "picture") for path in pictures]
    inputs += model_files(args.config, args.assets)
    outputs = [RunFile(Path(args.json), "--json")] if args.json else []
    for files in targets:
        for option, path in files.items():
            outputs.append(RunFile(path, f"output {option}"))
            if option == "obj" and args.texture:
                from tddfa.export.textured_obj import companions

                material, texture = companions(path)
                outputs.append(RunFile(material, "material"))
                outputs.append(RunFile(texture, "texture"))
    check_targets(inputs, outputs)


@dataclass(frozen=True)
class PictureReport:
    """What is to be told of a picture.

    Attributes
    ----------
    lines : list of str
        What is still to be printed.
    record : dict, optional
        Its entry in the JSON report; None if it failed.
    error : InputError, optional
        Why.
    """

    lines: list[str]
    record: dict[str, Any] | None = None
    error: InputError | None = None


def pictures_at_once(args: argparse.Namespace, count: int) -> int:
    """Return how many pictures are worked on side by side: ``--threads``, or a core each."""
    return max(1, min(count, args.threads or available_cores()))


def process(
    path: Path,
    image: Any,
    pipeline: "FaceAligner",
    targets: dict[str, Path],
    settings: OutputSettings,
    show: bool,
    say: Callable[[str], object] = print,
) -> dict[str, Any]:
    """Make all outputs of one picture, `say` what was found and return its record."""
    faces = pipeline(image)
    if not faces:
        say(f"{path}: no face detected")
        return picture_record(path, image.shape, [], [])
    say(f"{path}: {len(faces)} face{'s' if len(faces) > 1 else ''}")
    for number, face in enumerate(faces, 1):
        say(face_line(number, face))
    frame = Frame.still(image, faces)
    if len(targets) > 1 and settings.n_threads > 1 and not show:
        make_outputs(frame, targets, settings, lambda option, target: say(_made(option, target)))
        return picture_record(path, image.shape, faces, list(targets.values()))
    for option, target in targets.items():
        picture = make_output(option, frame, target, settings)
        say(_made(option, target))
        # Once there turned out to be no screen, the next pictures need not try.
        show = show and (picture is None or _show(picture, target))
    return picture_record(path, image.shape, faces, list(targets.values()))


def _made(option: str, target: Path) -> str:
    return f"  {option} -> {target}"


def _show(picture: Any, target: Path) -> bool:
    from tddfa.drawing.show import show_picture

    return show_picture(picture, target)


def _progress(reports: Iterator[Any], count: int) -> Iterator[Any]:
    """Show a progress bar for several pictures, where somebody can see it."""
    if count == 1:
        return reports
    from tqdm import tqdm

    return iter(tqdm(reports, total=count, unit="picture", disable=None))
