"""Train the face check.

``python -m training.face_check.train data/photos data/turned --candidates data/candidates/*.npz
--out runs/check``

Faces come from packed sets (`training.prepare`, `training.synthesize`) and from what detectors
found in whole pictures (`training.face_check.candidates`), and what is none from the latter. A
second run with ``--critic runs/check/weights.pth`` shows the first one's mistakes more often. Run
the same command again to go on.
"""

import argparse
import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.face_check.network import FaceCheckNet, load_network
from tddfa.io.atomic import replacing
from tddfa.memory_layout import channels_last
from training.face_check.samples import Samples
from training.face_check.settings import CheckTrainSettings, SampleSettings
from training.face_check.sources import Patches, Sources, open_sources
from training.provenance.runs import record_run, require_run
from training.regressor.logbook import Logbook
from training.regressor.settings import with_changes

logger = logging.getLogger(__name__)

WEIGHT_DECAY, CLIP, AVERAGE = 1e-3, 5.0, 0.998
# How much roll and square count beside the question of a face.
ROLL, SQUARE = 1.0, 4.0
# Of all decoys, so many that the critic finds the most like faces are the hard ones.
HARD_SHARE = 0.15


def loss(answers: Tensor, face: Tensor, wanted: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss of answers (n, 6) and its parts.

    Parameters
    ----------
    answers : Tensor, shape (n, 6)
    face : Tensor, shape (n,)
        1 for a face, else 0.
    wanted : Tensor, shape (n, 5)
        Cosine and sine of the roll, center, logarithm of the side; NaN where unknown.
    """
    scores = binary_cross_entropy_with_logits(answers[:, 0], face)
    rolled, placed = torch.isfinite(wanted[:, 0]), torch.isfinite(wanted[:, 2])
    roll = (answers[rolled, 1:3] - wanted[rolled, :2]).square().sum(dim=1)
    square = smooth_l1_loss(answers[placed, 3:], wanted[placed, 2:], beta=0.1, reduction="none")
    parts = {
        "scores": scores,
        "distance": roll.sum() / max(1, len(roll)),
        "boxes": square.sum() / max(1, len(square)),
    }
    total = scores + ROLL * parts["distance"] + SQUARE * parts["boxes"]
    return total, {key: value.detach() for key, value in parts.items()}


class CheckTrainer:
    """Network, optimizer and average of the face check."""

    def __init__(self, network: FaceCheckNet, rate: float, total_steps: int) -> None:
        self.network = channels_last(network)
        self.average = FaceCheckNet()
        self.average.load_state_dict(network.state_dict())
        self.optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=WEIGHT_DECAY)
        self.rate, self.total_steps, self.step_count = rate, total_steps, 0

    def step(self, crops: Tensor, face: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """Make one step on crops (n, 3, 60, 60); return the parts of the loss."""
        self.network.train()
        rise = min(1.0, (self.step_count + 1) / 100)
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step_count / self.total_steps)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * rise * (0.005 + 0.995 * fall)
        crops = crops.contiguous(memory_format=torch.channels_last)
        total, parts = loss(self.network.answers(crops), face, wanted)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        self.step_count += 1
        self._follow()
        return {"loss": total.detach(), **parts, "gradient": norm}

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(AVERAGE, self.step_count / (self.step_count + 10))
        own, mean = self.network.state_dict(), self.average.state_dict()
        for key, value in mean.items():
            if value.is_floating_point():
                value.lerp_(own[key], 1 - keep)
            else:
                value.copy_(own[key])

    def save(self, folder: Path) -> None:
        """Write the state, and the averaged weights as a checkpoint."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step_count,
        }
        with replacing(folder / "state.pt") as temporary:
            torch.save(state, temporary)
        with replacing(folder / "weights.pth") as temporary:
            torch.save(state["average"], temporary)

    def resume(self, path: Path) -> None:
        """Read a state that `save` wrote."""
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step_count = state["step"]
        except Exception as error:  # torch documents no closed set of errors
            raise InputError(f"'{path}': expected the state of a face check's run") from error


def hard_rows(critic: FaceCheckNet, pool: Sequence[Patches]) -> list[npt.NDArray[np.int64]]:
    """Return of each set the places without a face that a network is surest to see one at."""
    logits = [patch_logits(critic, part) for part in pool]
    joined = np.concatenate(logits)
    limit = np.quantile(joined, 1 - HARD_SHARE) if len(joined) else 0.0
    return [part.rows[score >= limit] for part, score in zip(pool, logits, strict=True)]


@torch.inference_mode()
def patch_logits(network: FaceCheckNet, patches: Patches) -> npt.NDArray[np.float32]:
    """Return the network's logits (m,) on the middle 120 px of the patches' rows."""
    logits = [np.zeros(0, np.float32)]
    for start in range(0, len(patches.rows), 256):
        rows = patches.rows[start : start + 256]
        images = torch.from_numpy(np.stack([patches.images[row][24:144, 24:144] for row in rows]))
        crops = (images.permute(0, 3, 1, 2).float() - 127.5) / 128
        logits.append(network(crops)[:, 0].numpy())
    return np.concatenate(logits)


def train(settings: CheckTrainSettings) -> None:
    """Train, or go on with the run in the folder ``settings.out``.

    Raises
    ------
    InputError
        If crops, candidates or weights cannot be read.
    """
    options = (("--init", settings.init), ("--critic", settings.critic))
    networks = [(option, path) for option, path in options if path]
    data = (*settings.crops, *settings.candidates)
    made_from = require_run(data, networks, settings.free)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    sources = open_sources(
        settings.crops, settings.candidates, settings.shares, face_model=settings.face_model
    )
    network = load_network(settings.init) if settings.init else FaceCheckNet()
    trainer = CheckTrainer(network, settings.rate, settings.total_steps)
    if (settings.out / "state.pt").exists():
        trainer.resume(settings.out / "state.pt")
    hard = hard_rows(load_network(settings.critic), sources.decoys) if settings.critic else []
    _loop(trainer, sources, hard, settings)
    record_run(settings.out / "weights.pth", made_from, settings.free)


def _loop(
    trainer: CheckTrainer,
    sources: Sources,
    hard: list[npt.NDArray[np.int64]],
    settings: CheckTrainSettings,
) -> None:
    from tqdm import tqdm

    book = Logbook(settings.out / "log.csv", trainer.step_count)
    first, total = trainer.step_count, settings.total_steps
    samples = Samples(
        sources,
        settings.sampling,
        settings.batch_size,
        range(first, total),
        settings.seed,
        hard,
    )
    loader = torch.utils.data.DataLoader(samples, batch_size=None, num_workers=settings.workers)
    started, rows = time.monotonic(), []
    with tqdm(total=total, initial=first, unit="step", mininterval=5) as bar:
        for batch in loader:
            rows.append(trainer.step(*batch))
            done = trainer.step_count
            bar.update(1)
            if len(rows) == settings.log_every or done == total:
                log = {key: float(torch.stack([r[key] for r in rows]).mean()) for key in rows[0]}
                seconds = book.seconds + time.monotonic() - started
                count = done * settings.batch_size
                book.write(step=done, samples=count, seconds=seconds, **log)
                bar.set_postfix({key: f"{value:.3f}" for key, value in log.items()})
                rows = []
            if done % settings.save_every == 0 or done == total:
                trainer.save(settings.out)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    usual = CheckTrainSettings((), (), Path())
    parser = argparse.ArgumentParser(
        prog="python -m training.face_check.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("crops", type=Path, nargs="+", help="packed sets of labelled faces")
    add("--candidates", type=Path, nargs="+", required=True, help="archives of .candidates")
    add("--shares", type=float, nargs="+", default=(), help="how often a set is drawn from")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--face-model", default=usual.face_model, help="(%(default)s)")
    add("--init", type=Path, help="weights to start from (.pth)")
    add("--critic", type=Path, help="weights whose mistakes are shown more often (.pth)")
    add("--samples", type=int, default=usual.samples, help="crops (%(default)s)")
    add("--batch-size", type=int, default=usual.batch_size, help="(%(default)s)")
    add("--rate", type=float, default=usual.rate, help="peak learning rate (%(default)s)")
    add("--seed", type=int, default=usual.seed)
    add("--workers", type=int, default=usual.workers, help="processes that make crops")
    add("--threads", type=int, default=usual.threads, help="of the network")
    add("--log-every", type=int, default=usual.log_every, help="steps (%(default)s)")
    add("--save-every", type=int, default=usual.save_every, help="steps (%(default)s)")
    add(
        "--free",
        action="store_true",
        help="refuse what is not known to be free for any use (training.provenance)",
    )
    add(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="fields of SampleSettings, such as rolled=0.5 photometric.blur=0.2",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = vars(build_parser().parse_args(argv))
    sampling = with_changes(SampleSettings(), args.pop("set"))
    for name in ("crops", "candidates", "shares"):
        args[name] = tuple(args[name])
    train(CheckTrainSettings(sampling=sampling, **args))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
