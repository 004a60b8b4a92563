"""Train FaceBoxes.

``python -m training.detector.train --scenes ../shared/scenes/images --scene-boxes scenes.npz
--negatives ../shared/negatives --negative-boxes negatives.npz --crops data/photos --out runs/fb``

Boxes are made by ``training.detector.sources``. The held-out third of scenes and negatives is left
out. Run the same command again to go on.
"""

import argparse
import copy
import logging
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from FaceBoxes.network import FaceBoxesNet, load_network
from FaceBoxes.preprocess import MEAN_BGR
from tddfa.cli import run_main
from tddfa.errors import InputError
from training.detector.boxes import match
from training.detector.compose import Composer, ComposeSettings
from training.detector.loss import multibox_loss
from training.detector.sources import BoxedPictures, load_boxes
from training.files import replacing
from training.logbook import Logbook
from training.network import MovingAverage, channels_last
from training.packed import open_packed
from training.settings import with_changes
from training.split import is_held_out_picture
from training.workers import Workers

logger = logging.getLogger(__name__)
MOMENTUM, WEIGHT_DECAY, CLIP, AVERAGE = 0.9, 5e-4, 5.0, 0.999


def trained_on(boxes: BoxedPictures) -> BoxedPictures:
    """Return the pictures that are not held out."""
    keep = [i for i, name in enumerate(boxes.names) if not is_held_out_picture(name)]
    if not keep:
        raise InputError("boxes: expected pictures that are not held out")
    return BoxedPictures(*([getattr(boxes, key)[i] for i in keep] for key in vars(boxes)))


class Pictures(torch.utils.data.Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Training pictures by number, for worker processes."""

    def __init__(self, composer: Composer, first: int, count: int) -> None:
        self.composer, self.first, self.count = composer, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return picture (h, w, 3), uint8, classes and offsets."""
        cv2.setNumThreads(1)
        picture = self.composer(self.first + index)
        classes, offsets = match(picture.faces, picture.doubtful, picture.image.shape[:2])
        return torch.from_numpy(picture.image), torch.from_numpy(classes), torch.from_numpy(offsets)


def initialize(network: FaceBoxesNet) -> None:
    """Draw fresh weights; heads start from "no face", which nearly all anchors are."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for head in [*network.loc, *network.conf]:
        assert isinstance(head, nn.Conv2d)
        nn.init.normal_(head.weight, 0, 0.01)
    for head in network.conf:
        assert isinstance(head, nn.Conv2d) and head.bias is not None
        with torch.no_grad():
            head.bias.copy_(torch.tensor([2.0, -2.0]).repeat(head.out_channels // 2))


class DetectorTrainer:
    """Network, optimizer and average of FaceBoxes.

    Parameters
    ----------
    network : FaceBoxesNet
    rate : float
        Peak learning rate of SGD.
    total_steps : int
    device : str
    amp : bool
        Run the network in bfloat16.
    workers : Workers, optional
        Threads, each of which takes a part of the batch.
    parts : int
        How many parts; batch normalization averages over one.
    """

    def __init__(
        self,
        network: FaceBoxesNet,
        rate: float,
        total_steps: int,
        device: str,
        amp: bool = False,
        workers: Workers | None = None,
        parts: int = 1,
    ) -> None:
        self.network = channels_last(network.to(device))
        self.amp, self.workers = amp, workers
        self.replicas = [self.network, *(_twin(self.network) for _ in range(parts - 1))]
        self.average = MovingAverage(self.network, AVERAGE)
        self.rate, self.total_steps, self.device = rate, total_steps, device
        self.optimizer = torch.optim.SGD(
            network.parameters(), rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
        )
        self.step_count = 0

    def step(self, pictures: Tensor, classes: Tensor, offsets: Tensor) -> dict[str, Tensor]:
        """Make one step on pictures (n, h, w, 3); return the parts of the loss."""
        for replica in self.replicas:
            replica.train()
        rise = min(1.0, (self.step_count + 1) / 200)
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step_count / self.total_steps)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * rise * (0.005 + 0.995 * fall)
        batch = (pictures, classes, offsets)
        split = (tensor.to(self.device).chunk(len(self.replicas)) for tensor in batch)
        pieces = list(zip(*split, strict=True))
        run = self.workers.map if self.workers else lambda *a: list(map(*a))
        found = run(self._gradients, self.replicas[: len(pieces)], pieces)
        for i, parameter in enumerate(self.network.parameters()):
            parameter.grad = torch.stack([gradients[i] for gradients, _ in found]).mean(dim=0)
        self._share_statistics(len(pieces))
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        self.step_count += 1
        self.average.update(self.network, self.step_count)
        logs = [log for _, log in found]
        means = {name: torch.stack([log[name] for log in logs]).mean() for name in logs[0]}
        return {**means, "gradient": norm}

    def _gradients(
        self, network: FaceBoxesNet, piece: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        pictures, classes, offsets = piece
        mean = torch.tensor(MEAN_BGR, device=pictures.device)
        images = (pictures - mean).permute(0, 3, 1, 2)  # channels last in memory
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.amp):
            loc, conf = network(images)
        total, parts = multibox_loss(loc.float(), conf.float(), classes, offsets)
        gradients = torch.autograd.grad(total, list(network.parameters()))
        return gradients, {"loss": total.detach(), **parts}

    @torch.no_grad()
    def _share_statistics(self, count: int) -> None:
        """Give all replicas the mean of their running statistics."""
        for buffers in zip(*(r.buffers() for r in self.replicas[:count]), strict=True):
            if buffers[0].is_floating_point():
                buffers[0].copy_(torch.stack(buffers).mean(dim=0))
        self._hand_out_statistics()

    def _hand_out_statistics(self) -> None:
        for replica in self.replicas[1:]:
            for own, first in zip(replica.buffers(), self.network.buffers(), strict=True):
                own.copy_(first)

    def save(self, folder: Path) -> None:
        """Write the state, and the averaged weights as a checkpoint."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step_count,
        }
        with replacing(folder / "state.pt") as temporary:
            torch.save(state, temporary)
        weights = {k: v.cpu().contiguous() for k, v in state["average"].items()}
        with replacing(folder / "weights.pth") as temporary:
            torch.save(weights, temporary)

    def resume(self, path: Path) -> None:
        """Read a state that `save` wrote."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.network.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step_count = state["step"]
            self._hand_out_statistics()
        except Exception as error:  # torch documents no closed set of errors
            raise InputError(f"'{path}': expected the state of a detector's run") from error


def _twin(network: FaceBoxesNet) -> FaceBoxesNet:
    """Return a copy with the same weights in memory and statistics of its own."""
    twin = copy.deepcopy(network)
    for own, shared in zip(twin.parameters(), network.parameters(), strict=True):
        own.data = shared.data
    return twin


def train(args: argparse.Namespace) -> None:
    """Run the command line."""
    settings = with_changes(ComposeSettings(), args.set)
    if settings.size % 128:
        raise InputError(f"size: expected a multiple of 128, got {settings.size}")
    faces = open_packed(args.crops)
    if not faces.detected:
        raise InputError(f"'{args.crops}': expected crops of detected faces, not turned ones")
    rows = np.flatnonzero(~faces.held_out & faces.usable)
    rows = rows[:: max(1, len(rows) // args.most_crops)]
    composer = Composer(
        (args.scenes, trained_on(load_boxes(args.scene_boxes))),
        (args.negatives, trained_on(load_boxes(args.negative_boxes))),
        faces.images[rows],
        faces.valid[rows],
        settings,
        args.seed,
    )
    torch.manual_seed(args.seed)
    if args.init:
        network = load_network(args.init).train()
    else:
        network = FaceBoxesNet()
        initialize(network)
    total = max(1, args.samples // args.batch_size)
    workers = Workers(args.threads or os.cpu_count() or 1) if args.device == "cpu" else None
    parts = max(1, min(args.parts, args.batch_size // 2)) if workers else 1
    trainer = DetectorTrainer(network, args.rate, total, args.device, args.amp, workers, parts)
    if (args.out / "state.pt").exists():
        trainer.resume(args.out / "state.pt")
    book = Logbook(args.out / "log.csv", trainer.step_count)
    _loop(trainer, composer, book, args, total)


def _loop(
    trainer: DetectorTrainer,
    composer: Composer,
    book: Logbook,
    args: argparse.Namespace,
    total: int,
) -> None:
    from tqdm import tqdm

    first = trainer.step_count
    pictures = Pictures(composer, first * args.batch_size, (total - first) * args.batch_size)
    loader = torch.utils.data.DataLoader(
        pictures, args.batch_size, num_workers=args.workers, pin_memory=args.device == "cuda"
    )
    started, rows = time.monotonic(), []
    with tqdm(total=total, initial=first, unit="step", mininterval=5) as bar:
        for batch in loader:
            rows.append(trainer.step(*batch))
            done, elapsed = trainer.step_count, time.monotonic() - started
            bar.update(1)
            if len(rows) == args.log_every or done == total:
                log = {key: float(torch.stack([r[key] for r in rows]).mean()) for key in rows[0]}
                speed = (done - first) * args.batch_size / elapsed
                samples = done * args.batch_size
                seconds = book.seconds + elapsed
                book.write(
                    step=done, samples=samples, seconds=seconds, samples_per_second=speed, **log
                )
                bar.set_postfix({key: f"{log[key]:.3g}" for key in ("boxes", "scores")})
                rows = []
            late = args.minutes and elapsed > 60 * args.minutes
            if done % args.save_every == 0 or done == total or late:
                trainer.save(args.out)
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
    add("--scenes", type=Path, required=True, help="folder of whole photos")
    add("--scene-boxes", type=Path, required=True, help="their boxes")
    add("--negatives", type=Path, required=True, help="folder of pictures without a face")
    add("--negative-boxes", type=Path, required=True, help="their doubtful places")
    add("--crops", type=Path, required=True, help="packed face crops (training.prepare)")
    add("--most-crops", type=int, default=20_000, help="kept in memory (%(default)s)")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--init", help="start from these weights (.pth)")
    add("--samples", type=int, default=400_000, help="pictures to see (%(default)s)")
    add("--batch-size", type=int, default=16)
    add("--rate", type=float, default=0.02, help="peak learning rate (%(default)s)")
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
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = build_parser().parse_args(argv)
    train(args)
    logger.info("weights in %s", args.out / "weights.pth")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
