"""Label data sets: every face of pictures, archives and videos as a row of Parquet tables.

Started again with the same inputs and the same folder it goes on where it was.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tddfa.arguments import (
    add_blendshape_argument,
    add_detection_arguments,
    add_model_arguments,
    add_second_look_argument,
    positive_int,
    score,
)
from tddfa.cli import EXIT_FAILED, EXIT_INTERRUPTED
from tddfa.errors import InputError
from tddfa.io.targets import RunFile, check_targets
from tddfa.label.crop_files import CONVENTIONS, CropSettings, write_camera_labels
from tddfa.label.places import Folder, open_place
from tddfa.label.plan import (
    INPUTS,
    MANIFEST,
    Plan,
    start_plan,
    write_manifest,
)
from tddfa.label.shards import Counts, LabelSettings
from tddfa.label.sources import find_sources
from tddfa.label.totals import table_totals
from tddfa.label.workers import Failure, Job, run_shards
from tddfa.optional import require
from tddfa.pipelines import aligner_arguments
from tddfa.run_files import model_files
from tddfa.side_by_side import available_cores
from tddfa.video.uninterrupted import sigterm_interrupts

_SHARD = 1000


def parse_args(argv: Sequence[str] | None = None, prog: str = "tddfa label") -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        f"  {prog} photos/ --out faces\n"
        f"  {prog} 'shards/*.tar' list.txt clip.mp4 --every 5 --out faces\n"
        f"  {prog} photos/ --out faces --crops eg3d --crop_size 512\n"
        "exit codes: 0 done, 1 some shards failed, 2 bad input, 130 interrupted (what is done is "
        "kept)",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="pictures, folders with all below them, patterns, text lists of paths (.txt), "
        "archives of pictures (.tar), videos",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the table")
    parser.add_argument(
        "--every",
        type=positive_int,
        default=1,
        metavar="N",
        help="label every Nth frame of videos; tracks follow all of them (default: %(default)s)",
    )
    parser.add_argument(
        "--no_visibility",
        action="store_true",
        help="leave out which landmarks can be seen; saves most of a face's time, some 8 ms",
    )
    add_blendshape_argument(parser, "a column with ARKit's 52 coefficients")
    parser.add_argument(
        "--shard_size",
        type=positive_int,
        metavar="N",
        help=f"pictures in a part of the table; archives and videos are parts of their own "
        f"(default: {_SHARD}, fewer if there are few)",
    )
    parser.add_argument(
        "--workers", type=positive_int, metavar="N", help="processes (default: one per core)"
    )
    group = parser.add_argument_group("many machines (pip install 'ray[data]')")
    group.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="hand shards out by Ray Data: to a cluster (auto, ray://host:10001), or without an "
        "address on this machine; inputs and --out must be reachable from all machines",
    )
    group.add_argument(
        "--ray_gpus",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of a GPU for each worker, with --provider cuda (default: %(default)s)",
    )
    group = parser.add_argument_group("crops")
    group.add_argument(
        "--crops", choices=CONVENTIONS, help="write each face as a picture, as that data set has it"
    )
    group.add_argument("--crop_size", type=positive_int, metavar="PIXELS", help="default: its own")
    group.add_argument(
        "--crop_format", choices=("png", "jpg", "webp"), default="png", help="default: %(default)s"
    )
    group.add_argument(
        "--crop_least",
        type=float,
        default=0.0,
        metavar="PIXELS",
        help="no crops of faces whose landmarks are smaller (default: %(default)s)",
    )
    add_model_arguments(parser, onnx=True)
    group = add_detection_arguments(parser)
    group.add_argument("--detect_scale", type=score, metavar="SCALE", help="see tddfa image")
    add_second_look_argument(group)
    return parser.parse_args(argv)


def main(argv: Sequence[str], prog: str = "tddfa label") -> int:
    """Run the command line and return its exit code."""
    with sigterm_interrupts():
        return _run(parse_args(argv, prog))


def _run(args: argparse.Namespace) -> int:
    require("tddfa label", "pyarrow")
    if args.ray is not None:
        require("--ray", "ray")
    elif args.ray_gpus:
        raise InputError("--ray_gpus: expected --ray as well")
    crops = crop_settings(args)
    out = open_place(args.out)
    if args.ray is not None and isinstance(out, Folder):
        out = Folder(out.path.resolve())  # workers need not be in this folder
    if crops is not None and not isinstance(out, Folder):
        raise InputError(f"--crops: expected a folder of this machine as --out, got {out}")
    workers = args.workers or available_cores()
    sources = find_sources(args.inputs)
    args.threads = args.threads or 1  # the cores are busy with one process each
    job = Job(out, aligner_arguments(args), _label_settings(args), crops)
    size = args.shard_size or max(1, min(_SHARD, -(-len(sources) // (4 * workers))))
    known = model_files(args.config, args.assets)  # or a missing one is found when all is written
    plan = start_plan(out, sources, settings_of(args, job), size)
    _check_files(known, plan)
    out.remove_leftovers()
    shards = plan.open_shards()
    if len(shards) < len(plan.shards):
        done = len(plan.shards) - len(shards)
        sys.stdout.write(f"{out}: {done} of {len(plan.shards)} parts are done, going on\n")
    start = time.monotonic()
    try:
        with _Progress(plan, shards) as progress:
            workers = min(workers, max(1, len(shards)))
            if args.ray is None:
                failures = run_shards(job, plan, shards, workers, progress)
            else:
                from tddfa.label.ray_cluster import run_on_ray

                failures = run_on_ray(
                    job,
                    plan,
                    shards,
                    address=args.ray or None,
                    actors=workers,
                    gpus=args.ray_gpus,
                    progress=progress,
                )
    except KeyboardInterrupt:
        out.remove_leftovers()
        left = len(plan.open_shards())
        sys.stderr.write(
            f"interrupted: {len(plan.shards) - left} of {len(plan.shards)} parts are done; "
            "the same command goes on\n"
        )
        return EXIT_INTERRUPTED
    return _finish(plan, crops, progress.counts, time.monotonic() - start, failures)


def _finish(
    plan: Plan,
    crops: CropSettings | None,
    counts: Counts,
    seconds: float,
    failures: Sequence[Failure],
) -> int:
    out, parts = plan.place, plan.done_parts()
    totals = table_totals(out, parts)
    write_manifest(plan, {"totals": totals})
    if crops is not None and crops.convention == "eg3d" and isinstance(out, Folder):
        write_camera_labels(out.path, [out.path / part for part in parts])
    rate = f", {counts.pictures / seconds:.1f} pictures/s" if counts.pictures else ""
    sys.stdout.write(
        f"{out}: {totals['pictures']} pictures, {totals['faces']} faces, "
        f"{totals['errors']} inputs that could not be read, {len(parts)} parts{rate}\n"
    )
    for failure in failures:
        sys.stderr.write(f"error: {failure.shard.name}: {failure.reason}\n")
    return EXIT_FAILED if failures else 0


def _label_settings(args: argparse.Namespace) -> LabelSettings:
    return LabelSettings(args.every, not args.no_visibility, args.blendshapes)


def crop_settings(args: argparse.Namespace) -> CropSettings | None:
    """Return what parsed arguments want cut out."""
    if args.crops is None:
        if args.crop_size is not None or args.crop_least:
            raise InputError("--crop_size, --crop_least: expected --crops as well")
        return None
    return CropSettings(args.crops, args.crop_size, f".{args.crop_format}", args.crop_least)


def settings_of(args: argparse.Namespace, job: Job) -> dict[str, Any]:
    """Return what the table depends on, for the manifest."""
    crops = job.crops
    return {
        "config": str(args.config),
        "every": job.settings.every,
        "visibility": job.settings.visibility,
        **({"blendshapes": True} if job.settings.blendshapes else {}),
        "det_threshold": args.det_threshold,
        "det_size": list(args.det_size) if args.det_size else None,
        "detect_scale": args.detect_scale,
        "upright": not args.no_upright,
        "second_look": not args.no_second_look,
        "crops": None if crops is None else [crops.convention, crops.side, crops.suffix],
    }


def _check_files(known: Sequence[RunFile], plan: Plan) -> None:
    """Raise `InputError` if a file of the table is an input."""
    if not isinstance(plan.place, Folder):
        return
    names = [MANIFEST, INPUTS, *(shard.name for shard in plan.shards)]
    written = [plan.place.path / name for name in names]
    # Folders yield no such names; a file that was named one by one may have one.
    inputs = [
        RunFile(Path(source.path), "input")
        for source in plan.sources
        if Path(source.path).suffix.lower() in (".parquet", ".json", ".jsonl")
    ]
    inputs += known
    check_targets(inputs, [RunFile(path, "--out") for path in written])


class _Progress:
    """A bar of inputs with pictures per second and time left, where somebody can see it."""

    def __init__(self, plan: Plan, shards: Sequence[Any]) -> None:
        from tqdm import tqdm

        total = sum(shard.count for shard in shards)
        pictures = all(source.kind == "picture" for source in plan.sources)
        self._bar = tqdm(total=total if pictures else None, unit="picture", disable=None)
        self.counts = Counts()

    def __call__(self, counts: Counts) -> None:
        """Show what went through since the beginning."""
        self.counts = counts
        self._bar.set_postfix(faces=counts.faces, errors=counts.errors, refresh=False)
        self._bar.update(counts.pictures + counts.errors - self._bar.n)

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
