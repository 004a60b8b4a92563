"""Train variants of the objective with the same budget and several seeds, and tabulate them.

``python -m training.ablation data/photos data/turned --shares 45 55 --samples 150000
--out runs/ablation``

A run that is done is not repeated; one that was cut short goes on.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tddfa.cli import run_main
from tddfa.io.atomic import replacing
from training import train
from training.regressor.logbook import read_log

logger = logging.getLogger(__name__)

VARIANTS: dict[str, list[str]] = {
    "distance": [],
    "distance, no openings": ["--loss", "openings=0.0"],
    "distance, no parameters": ["--loss", "parameters=0.0"],
    "distance + lrr, fixed": ["--loss", "landmark_head=fixed"],
    "distance + lrr, balanced": ["--loss", "landmark_head=balanced"],
    "distance, svs": ["--set", "views.frames=8"],
    "distance, no turn": ["--set", "views.turn=0.0"],
    "distance, no occlusion": ["--set", "occlusion.patch=0.0", "occlusion.face_mask=0.0"],
    "vdc": ["--objective", "vdc", "--loss", "openings=0.0"],
    "fwpdc": ["--objective", "fwpdc", "--loss", "openings=0.0"],
    "joint": ["--objective", "joint", "--loss", "openings=0.0"],
    "meta-joint": ["--objective", "meta-joint", "--loss", "openings=0.0"],
    "meta-joint + lrr": ["--objective", "meta-joint", "--loss", "openings=0.0",
                         "landmark_head=fixed"],
}  # fmt: skip
# It trains each stretch twice: half the samples cost the same.
TWICE = ("meta-joint", "meta-joint + lrr")
COLUMNS = ("val_nme", "val_openings", "val_vdc")


def run_folder(out: Path, variant: str, seed: int) -> Path:
    """Return the folder of one run."""
    name = "".join(c if c.isalnum() else "_" for c in variant)
    return out / f"{name}_{seed}"


def tabulate(out: Path, variants: Sequence[str], seeds: Sequence[int]) -> str:
    """Return a Markdown table of the runs that are there, mean ± deviation over the seeds."""
    lines = ["| objective | runs | NME % | lids and lips, px | VDC, px² |", "|---|---|---|---|---|"]
    for variant in variants:
        logs = [run_folder(out, variant, seed) / "log.csv" for seed in seeds]
        rows = [[r for r in read_log(log) if "val_nme" in r] for log in logs if log.is_file()]
        ends = np.array([[r[-1][column] for column in COLUMNS] for r in rows if r])
        if len(ends):
            spread = ends.std(axis=0, ddof=1) if len(ends) > 1 else np.zeros(len(COLUMNS))
            cells = [f"{m:.2f} ± {s:.2f}" for m, s in zip(ends.mean(axis=0), spread, strict=True)]
            lines.append(f"| {variant} | {len(ends)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training.ablation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", nargs="+", help="packed data sets")
    add("--shares", nargs="+", default=[])
    add("--out", type=Path, required=True, help="folder of the runs")
    add("--samples", type=int, default=150_000, help="budget of each run (%(default)s)")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2])
    add("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    add(
        "--look-ahead",
        type=int,
        default=100,
        help="steps between choices of meta-joint (%(default)s)",
    )
    add("--more", nargs="*", default=[], metavar="KEY", help="train's options: amp threads=2 …")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = build_parser().parse_args(argv)
    common = [*args.data, *(["--shares", *args.shares] if args.shares else [])]
    for option in args.more:
        key, given, value = option.partition("=")
        common += [f"--{key}", value] if given else [f"--{key}"]
    # Seed by seed: when time runs out, all variants have had the same number of seeds.
    for seed in args.seeds:
        for variant in args.variants:
            samples = args.samples // (2 if variant in TWICE else 1)
            folder = run_folder(args.out, variant, seed)
            logger.info("%s, seed %d", variant, seed)
            fixed = ["--out", str(folder), "--samples", str(samples), "--seed", str(seed)]
            own = VARIANTS[variant]
            # Only the last of several --loss counts.
            own = [*own, f"look_ahead={args.look_ahead}"] if variant in TWICE else own
            train.main([*common, *fixed, *own])
            table = tabulate(args.out, args.variants, args.seeds)
            with replacing(args.out / "table.md") as temporary:
                temporary.write_text(table + "\n", encoding="utf-8")
    print(tabulate(args.out, args.variants, args.seeds))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
