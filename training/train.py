"""Train a regressor.

``python -m training.train data/photos data/turned --shares 45 55 --out runs/mb05``

Run the same command again to go on where a run was cut short; ``--init`` starts from the weights of
another. The run's folder holds the state, the log (``python -m training.plot`` draws it) and, when
it ends, ``weights.pth`` and ``param_mean_std.npz``.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from tddfa.cli import run_main
from tddfa.plugins import part_names
from training.augmentation.augment import AugmentSettings
from training.cpu.bfloat16 import warn_of_slow_bfloat16
from training.regressor.objective import MAINS, ObjectiveSettings
from training.regressor.run_folder import Run
from training.regressor.settings import with_changes
from training.regressor.steps import OptimizerSettings
from training.regressor.train_settings import TrainSettings

logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", nargs="+", type=Path, help="packed data sets (training.prepare, .synthesize)")
    add("--shares", nargs="+", type=float, help="their shares of a batch (default: by size)")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--face-model", type=Path, default=TrainSettings.face_model)
    add("--param-scale", type=Path, help="mean and std (default: measured on the data)")
    add("--init", type=Path, help="start from these weights (.pth) instead of random ones")
    add(
        "--free",
        action="store_true",
        help="refuse what is not known to be free for any use (training.provenance)",
    )
    add(
        "--arch",
        default=TrainSettings.arch,
        choices=part_names("tddfa.backbones"),
        help="%(default)s",
    )
    add("--width", type=float, default=0.5, choices=(0.5, 1.0), help="of the network (%(default)s)")
    add("--objective", choices=MAINS, default="distance", help="main loss (%(default)s)")
    add("--loss", nargs="*", default=[], metavar="KEY=VALUE", help="other losses: openings=0.05 …")
    add("--optimizer", nargs="*", default=[], metavar="KEY=VALUE", help="learning_rate=2e-3 …")
    add("--set", nargs="*", default=[], metavar="KEY=VALUE", help="augmentation: views.frames=8 …")
    add("--samples", type=int, default=5_000_000, help="length of the schedule (%(default)s)")
    add("--batch-size", type=int, default=128)
    add("--minutes", type=float, help="stop after so long; the same command goes on later")
    add("--seed", type=int, default=0)
    add("--device", default="cpu", choices=("cpu", "cuda"))
    add("--threads", type=int, help="CPU threads (default: as many as there are cores)")
    add("--chunk", type=int, default=64, help="pictures per thread at a time (%(default)s)")
    add("--amp", action="store_true", help="bfloat16, pays on GPUs and on CPUs with AVX-512 or AMX")
    add("--log-every", type=int, default=50, help="steps per line of the log (%(default)s)")
    add("--validate-every", type=int, default=500, help="steps (%(default)s)")
    add("--held-out", type=int, default=512, help="crops to validate on (%(default)s)")
    add(
        "--blendshapes",
        nargs="+",
        type=Path,
        metavar="LABELS",
        help="folders of training.blendshape_labels: features are to tell the 52 coefficients, too",
    )
    return parser


def settings_of(args: argparse.Namespace) -> TrainSettings:
    """Return what parsed arguments ask for."""
    given = vars(args) | {
        "data": tuple(args.data),
        "blendshapes": tuple(args.blendshapes or ()),
        "shares": tuple(args.shares or ()),
        "objective": with_changes(ObjectiveSettings(main=args.objective), args.loss),
        "optimizer": with_changes(OptimizerSettings(), args.optimizer),
        "augmentation": with_changes(AugmentSettings(), args.set),
    }
    return TrainSettings(**{field.name: given[field.name] for field in fields(TrainSettings)})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    settings = settings_of(build_parser().parse_args(argv))
    warn_of_slow_bfloat16(settings.device, settings.amp)
    run = Run(settings)
    run.go()
    logger.info("%d steps done, weights in %s", run.trainer.step_count, run.out / "weights.pth")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
