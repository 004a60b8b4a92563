"""Damage files of every kind that users hand over, and watch what the project makes of them.

    python -m tests.fuzz --minutes 30
    python -m tests.fuzz --pictures 10000 --videos 300 --seed 1

Each file is read in a process that is watched: it may be used or refused with one line, and nothing
else. A campaign that was broken off goes on where it was. Files at fault are kept in faults/.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.campaign import Campaign, Tally
from tests.fuzz.seeds import KINDS, ROOT

_ENDLESS = 1 << 40


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, help="end after so long (default: when all done)")
    for kind in KINDS:
        parser.add_argument(
            f"--{kind}s",
            dest=kind,
            type=int,
            metavar="N",
            help=f"{kind.replace('_', ' ')}s to try (default: all kinds in turn, with --minutes; "
            "else 0)",
        )
    parser.add_argument("--seed", type=int, default=0, help="of chance (default: %(default)s)")
    parser.add_argument(
        "--every",
        type=int,
        default=20,
        metavar="N",
        help="each Nth picture and video goes through a demo as well (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / "runs" / "fuzz", help="default: %(default)s"
    )
    args = parser.parse_args(argv)
    args.counts = {kind: getattr(args, kind) or 0 for kind in KINDS}
    if not any(args.counts.values()):
        if args.minutes is None:
            parser.error("expected --minutes, or a number of files")
        args.counts = dict.fromkeys(KINDS, _ENDLESS)
    return args


def table(tallies: dict[str, Tally]) -> str:
    """Return the summary, a row for each kind."""
    rows = ["kind                 |  files |   done | refused | faults | most MB | most s"]
    rows.append("---------------------|-------:|-------:|--------:|-------:|--------:|------:")
    for how, tally in sorted(tallies.items()):
        rows.append(
            f"{how:20s} | {tally.files:6d} | {tally.done:6d} | {tally.refused:7d} "
            f"| {tally.faults:6d} | {tally.megabytes:7.0f} | {tally.seconds:6.2f}"
        )
    return "\n".join(rows)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    minutes = float("inf") if args.minutes is None else args.minutes
    campaign = Campaign(args.counts, args.out, args.seed, minutes, args.every)
    try:
        campaign.run()
    except KeyboardInterrupt:
        sys.stderr.write("broken off; the same command goes on\n")
    for fault in campaign.faults:
        sys.stdout.write(f"fault: {fault}\n")
    sys.stdout.write(table(campaign.tallies) + "\n")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
