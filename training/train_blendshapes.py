"""Train the regressor's second head: ARKit's 52 blendshapes from its features.

``python -m training.train_blendshapes weights/mb1_120x120.pth --data data/photos shapes/photos
--renders data/renders --out weights/mb1_120x120_blendshapes.pth``

The regressor stays as it is. ``--data`` names a packed data set and the folder of its labels
(``training.blendshape_labels``), as often as there are any; ``--renders`` heads of
``training.render_heads``. Writes ``.pth`` and ``.onnx`` with SHA-256, with ``--free`` a manifest
beside them, and says how far the head and the labels of held-out crops agree.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path

import torch

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.targets import RunFile, check_targets
from tddfa.model_files import load_face_model
from tddfa.weight_labels import file_sha256
from training.blendshapes.export import export_head
from training.blendshapes.features import FeatureNet, FeatureStore, Views, extract
from training.blendshapes.measure import MUST, compare
from training.blendshapes.sources import open_labelled, open_rendered
from training.blendshapes.train_head import HeadSettings, train_head
from training.provenance.runs import record_run, require_run
from training.regressor.settings import with_changes

logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train_blendshapes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("regressor", type=Path, help=".pth of the regressor")
    add("--data", nargs=2, action="append", type=Path, metavar=("PACKED", "LABELS"), default=[])
    add("--renders", nargs="*", type=Path, default=[], help="heads of training.render_heads")
    add("--out", type=Path, required=True, help=".pth to write; the .onnx lies beside it")
    add("--views", type=int, default=2, help="of each crop, every other one mirrored (%(default)s)")
    add("--features", type=Path, help="keep features in this .npz, or take them from there")
    add("--face-model", type=Path, default=Path("configs/face_model.npz"))
    add("--threads", type=int, default=torch.get_num_threads(), help="(%(default)s)")
    known = ", ".join(field.name for field in fields(HeadSettings))
    add("--free", action="store_true", help="refuse what is not known to be free for any use")
    add("--set", nargs="*", default=[], metavar="KEY=VALUE", help=f"of the head: {known}")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = build_parser().parse_args(argv)
    if args.views < 1 or args.threads < 1:
        raise InputError("--views, --threads: expected at least 1")
    if args.out.suffix != ".pth":
        raise InputError(f"--out '{args.out}': expected a name ending in .pth")
    if not args.data and not args.renders:
        raise InputError("--data, --renders: expected faces to train on")
    targets = [RunFile(args.out.with_suffix(suffix), "--out") for suffix in (".pth", ".onnx")]
    check_targets([RunFile(args.regressor, "regressor")], targets)
    settings = with_changes(HeadSettings(), args.set)
    data = [path for pair in args.data for path in pair] + args.renders
    made_from = require_run(data, [("regressor", args.regressor)], args.free)
    torch.set_num_threads(args.threads)
    store = FeatureStore(args.features, args.regressor)
    photos = [open_labelled(folder, labels) for folder, labels in args.data]
    sources = photos + [open_rendered(folder) for folder in args.renders]
    model = load_face_model(args.face_model)
    network = FeatureNet(args.regressor, args.threads)
    seen = store.get("train", Views(sources, args.views), partial(extract, network, model=model))
    head = train_head(seen, settings)
    for path in export_head(head, args.regressor, args.out):
        print(f"{file_sha256(path)}  {path} ({path.stat().st_size / 1e6:.2f} MB)")
    if args.free:
        record_run(args.out, made_from, args.free)
    if photos:
        views = Views(photos, 1, held_out=True)
        seen = store.get("held_out", views, partial(extract, network, model=model))
        with torch.inference_mode():
            found = head(torch.from_numpy(seen.values)).numpy()
        report = compare(found, seen.coefficients)
        must = ", ".join(f"{n} {report['channels'][n]['correlation']:.2f}" for n in MUST)
        print(
            f"{report['faces']} held-out crops: mean correlation {report['mean_correlation']:.3f} "
            f"over {report['moving'] - report['constant']} channels that move "
            f"({report['mean_with_constant']:.3f} with {report['constant']} left at rest), {must}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
