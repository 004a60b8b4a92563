"""Say what went into data sets or weights, and whether anyone may use what is trained on them.

``python -m training.provenance data/free data/renders``

``python -m training.provenance runs/free_mb1 --notice NOTICE.md``

Prints a line for each source, and ends with exit code 2 if something is not free. The training
commands ask the same with ``--free``. Attributions are due either way: ``--notice`` writes them
first.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tddfa.cli import run_main
from tddfa.io.atomic import replacing
from training.provenance.entry import read_manifest
from training.provenance.notice import notice
from training.provenance.rules import beside, require_free


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.provenance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", nargs="+", type=Path, help="data sets, archives of boxes, runs")
    parser.add_argument("--notice", type=Path, help="write the attributions there (.md)")
    parser.add_argument("--title", default="what these weights were made from")
    args = parser.parse_args(argv)
    entries = [entry for path in args.data for entry in read_manifest(beside(path))]
    counts = Counter((e.kind, e.source, e.licence, e.tier) for e in set(entries))
    for (kind, source, licence, tier), number in sorted(counts.items()):
        mark = f" (tier {tier})" if tier else ""
        print(f"{number:6} {kind:10} {source or '?'}: {licence or 'no licence known'}{mark}")
    if args.notice:
        with replacing(args.notice) as temporary:
            temporary.write_text(notice(entries, args.title), encoding="utf-8")
    require_free(args.data)
    print("free: yes")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
