"""Train FaceBoxes.

``python -m training.detector.train --scenes ../shared/scenes/images --scene-boxes scenes.npz
--negatives ../shared/negatives --negative-boxes negatives.npz --crops data/photos --out runs/fb``

Boxes are made by ``training.detector.sources``, decoys by ``training.detector.decoys``. Held-out
pictures are left out. Run the same command again to go on.
"""

import argparse
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch
from torch import Tensor

from FaceBoxes.network import FaceBoxesNet, load_network
from tddfa.cli import run_main
from tddfa.errors import InputError
from training.cpu.bfloat16 import warn_of_slow_bfloat16
from training.cpu.workers import Workers
from training.dataset.split import is_held_out_picture
from training.detector.boxes import match, told
from training.detector.compose import Composer, Source
from training.detector.faces import joined, labelled_faces, rare_faces, turned_faces
from training.detector.picture import ComposeSettings
from training.detector.settings import DetectorTrainSettings
from training.detector.sources import BoxedPictures, load_boxes, no_boxes
from training.detector.trainer import DetectorTrainer, initialize
from training.provenance.runs import record_run, require_run
from training.regressor.logbook import Logbook
from training.regressor.settings import with_changes

logger = logging.getLogger(__name__)


def trained_on(boxes: BoxedPictures) -> BoxedPictures:
    """Return the pictures that are not held out."""
    keep = [i for i, name in enumerate(boxes.names) if not is_held_out_picture(name)]
    if not keep:
        raise InputError("boxes: expected pictures that are not held out")
    return BoxedPictures(*([getattr(boxes, key)[i] for i in keep] for key in vars(boxes)))


class Pictures(torch.utils.data.Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Training pictures by number, for worker processes."""

    def __init__(self, composer: Composer, first: int, count: int) -> None:
        self.composer, self.first, self.count = composer, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return picture (h, w, 3), uint8, classes, offsets, and where boxes know better."""
        cv2.setNumThreads(1)
        picture = self.composer(self.first + index)
        size = picture.image.shape[:2]
        classes, offsets = match(picture.faces, picture.doubtful, size)
        known = told(picture.faces, picture.sure, picture.empty, size)
        return (
            torch.from_numpy(picture.image),
            torch.from_numpy(classes),
            torch.from_numpy(offsets),
            torch.from_numpy(known),
        )


def train(settings: DetectorTrainSettings) -> None:
    """Train, or go on with the run in the folder ``settings.out``.

    Raises
    ------
    InputError
        If pictures, boxes or weights cannot be read.
    """
    made_from = require_run(settings.sources, settings.networks, settings.free)
    crops = [labelled_faces(folder, settings.most_crops) for folder in settings.crops]
    crops += [turned_faces(folder, settings.most_crops) for folder in settings.turned]
    if settings.rare_crops:
        others = sum(len(part.draws) for part in crops)
        crops.append(rare_faces(settings.rare_crops, others, settings.rare_share))
    scenes = _source(settings.scenes, settings.scene_boxes, settings.scene_decoys)
    also = _source(settings.negatives, settings.negative_boxes, settings.negative_decoys)
    negatives = [also] if also else []
    if settings.empty:
        negatives.append(_empty_source(settings.empty, settings.empty_decoys))
    composer = Composer(
        scenes,
        negatives,
        joined(crops),
        settings.composition,
        settings.seed,
    )
    torch.manual_seed(settings.seed)
    if settings.init:
        network = load_network(settings.init).train()
    else:
        network = FaceBoxesNet()
        initialize(network)
    total = settings.total_steps
    workers = Workers(settings.threads or os.cpu_count() or 1) if settings.device == "cpu" else None
    parts = max(1, min(settings.parts, settings.batch_size // 2)) if workers else 1
    teacher = load_network(settings.teacher) if settings.teacher else None
    trainer = DetectorTrainer(
        network,
        settings.rate,
        total,
        settings.device,
        settings.amp,
        workers,
        parts,
        teacher,
        settings.optimizer,
    )
    if (settings.out / "state.pt").exists():
        trainer.resume(settings.out / "state.pt")
    book = Logbook(settings.out / "log.csv", trainer.step_count)
    _loop(trainer, composer, book, settings)
    record_run(settings.out / "weights.pth", made_from, settings.free)


def _source(folder: Path | None, boxes: Path | None, decoys: Path | None) -> Source | None:
    if folder is None or boxes is None:
        return None
    pictures = trained_on(load_boxes(boxes))
    return Source(folder, pictures, trained_on(load_boxes(decoys)) if decoys else None)


def _empty_source(folder: Path, decoys: Path | None) -> Source:
    known = trained_on(load_boxes(decoys)) if decoys else None
    return Source(folder, trained_on(no_boxes(folder)), known, empty=True)


def _loop(
    trainer: DetectorTrainer,
    composer: Composer,
    book: Logbook,
    settings: DetectorTrainSettings,
) -> None:
    from tqdm import tqdm

    first, total = trainer.step_count, settings.total_steps
    pictures = Pictures(
        composer, first * settings.batch_size, (total - first) * settings.batch_size
    )
    loader = torch.utils.data.DataLoader(
        pictures,
        settings.batch_size,
        num_workers=settings.workers,
        pin_memory=settings.device == "cuda",
    )
    started, rows = time.monotonic(), []
    with tqdm(total=total, initial=first, unit="step", mininterval=5) as bar:
        for batch in loader:
            rows.append(trainer.step(*batch))
            done, elapsed = trainer.step_count, time.monotonic() - started
            bar.update(1)
            if len(rows) == settings.log_every or done == total:
                log = {key: float(torch.stack([r[key] for r in rows]).mean()) for key in rows[0]}
                speed = (done - first) * settings.batch_size / elapsed
                samples = done * settings.batch_size
                seconds = book.seconds + elapsed
                book.write(
                    step=done, samples=samples, seconds=seconds, samples_per_second=speed, **log
                )
                bar.set_postfix({key: f"{log[key]:.3g}" for key in ("boxes", "scores")})
                rows = []
            late = settings.minutes and elapsed > 60 * settings.minutes
            if done % settings.save_every == 0 or done == total or late:
                trainer.save(settings.out)
            if late:
                break


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training.detector.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--scenes", type=Path, help="folder of whole photos (default: all faces are pasted crops)")
    add("--scene-boxes", type=Path, help="their boxes")
    add("--negatives", type=Path, help="folder of pictures without a face")
    add("--negative-boxes", type=Path, help="their doubtful places")
    add("--scene-decoys", type=Path, help="what looks like a face in photos (.decoys)")
    add("--negative-decoys", type=Path, help="the same of pictures without a face")
    add("--empty", type=Path, help="folder of more, where another detector's word is worth nothing")
    add("--empty-decoys", type=Path, help="what looks like a face in those")
    add(
        "--crops",
        type=Path,
        nargs="+",
        required=True,
        help="packed face crops (training.prepare, training.detector.guess)",
    )
    add("--turned", type=Path, nargs="*", default=[], help="turned ones (training.synthesize)")
    add("--most-crops", type=int, default=20_000, help="of each, kept in memory (%(default)s)")
    add("--rare-crops", type=Path, help="folder of square crops without labels, such as masks")
    add("--rare-share", type=float, default=0.15, help="theirs of all crops (%(default)s)")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--init", help="start from these weights (.pth)")
    add("--teacher", help="detector (.pth) whose scores and boxes are learned (soft labels)")
    add("--samples", type=int, default=400_000, help="pictures to see (%(default)s)")
    add("--batch-size", type=int, default=16)
    add("--rate", type=float, default=0.02, help="peak learning rate (%(default)s)")
    add("--optimizer", default="sgd", choices=("sgd", "muon"), help="muon: --rate 1e-3")
    add("--set", nargs="*", default=[], metavar="KEY=VALUE", help="size=512, composites=0.5 …")
    add("--minutes", type=float, help="stop after so long; the same command goes on later")
    add("--workers", type=int, default=1, help="processes that make pictures (%(default)s)")
    add("--seed", type=int, default=0)
    add("--device", default="cpu", choices=("cpu", "cuda"))
    add("--threads", type=int, help="CPU threads (default: as many as there are cores)")
    add("--parts", type=int, default=2, help="of a batch, one for each thread (%(default)s)")
    add("--amp", action="store_true", help="bfloat16, pays with AVX-512 or AMX and on GPUs")
    add("--log-every", type=int, default=50)
    add("--save-every", type=int, default=500)
    add(
        "--free",
        action="store_true",
        help="refuse what is not known to be free for any use (training.provenance)",
    )
    return parser


def settings_of(args: argparse.Namespace) -> DetectorTrainSettings:
    """Return what parsed arguments ask for."""
    given = vars(args) | {
        "crops": tuple(args.crops),
        "turned": tuple(args.turned),
        "composition": with_changes(ComposeSettings(), args.set),
    }
    del given["set"]
    return DetectorTrainSettings(**given)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    settings = settings_of(build_parser().parse_args(argv))
    warn_of_slow_bfloat16(settings.device, settings.amp)
    train(settings)
    logger.info("weights in %s", settings.out / "weights.pth")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
