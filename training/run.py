"""A training run in a folder: its data, its network, its log and the state it goes on from."""

import argparse
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from tddfa.errors import InputError
from tddfa.mobilenet import MobileNet, load_mobilenet
from tddfa.model_files import load_face_model
from tddfa.morphable_model import MorphableModel
from tddfa.params import ParameterScale, load_parameter_scale
from training.augment import PLAIN, Augmenter, AugmentSettings
from training.basis import landmark_basis, mirror_matrix
from training.batch import Crops
from training.files import replacing, save_arrays
from training.logbook import Logbook
from training.losses import T_Z
from training.meta_joint import look_ahead
from training.network import TrainingNet, initialize
from training.objective import Objective, ObjectiveSettings
from training.packed import open_packed
from training.rarity import draw_weights
from training.sampler import BatchSampler, held_out
from training.settings import with_changes
from training.trainer import Inputs, OptimizerSettings, Trainer
from training.workers import Workers

logger = logging.getLogger(__name__)
SCALE_BATCHES = 16
AUGMENTED_TOGETHER = 32  # views that a core's cache holds
MOST_PARTS = 10_000  # of a batch


def parameter_scale(augmenter: Augmenter, sampler: BatchSampler) -> ParameterScale:
    """Return mean and standard deviation of the parameters over augmented crops."""
    # Steps that training never reaches.
    steps = range(2**40, 2**40 + SCALE_BATCHES)
    params = [augmenter(sampler.batch(step), step)[1] for step in steps]
    every = torch.cat(params).cpu().double().numpy()
    mean, std = every.mean(axis=0), every.std(axis=0)
    mean[T_Z], std[T_Z] = 0.0, 1.0
    return ParameterScale(mean.astype(np.float32), np.maximum(std, 1e-12).astype(np.float32))


class Run:
    """A training run in a folder.

    Parameters
    ----------
    args : argparse.Namespace
        The command line, see `train.build_parser`.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.out: Path = args.out
        model = load_face_model(args.face_model)
        sources = [open_packed(folder) for folder in args.data]
        shares = args.shares or [len(source) for source in sources]
        if len(shares) != len(sources):
            raise InputError(f"--shares: expected {len(sources)} numbers, got {len(shares)}")
        frames = with_changes(AugmentSettings(), args.set).views.frames
        if args.batch_size % frames:
            raise InputError(f"--batch-size: expected a multiple of views.frames = {frames}")
        self.frames = frames
        weights = [draw_weights(s.labels, model) * s.labels.weight for s in sources]
        self.sampler = BatchSampler(sources, shares, args.batch_size // frames, args.seed, weights)
        self.total_steps = max(1, args.samples // args.batch_size)
        basis, flip = landmark_basis(model), mirror_matrix(model)
        augmenter = Augmenter(basis, flip, with_changes(AugmentSettings(), args.set), args.device)
        self.scale = self._scale(augmenter)
        self.workers = (
            None if args.device != "cpu" else Workers(args.threads or os.cpu_count() or 1)
        )
        objective = Objective(
            model,
            self.scale,
            with_changes(ObjectiveSettings(main=args.objective), args.loss),
            args.device,
        )
        self.trainer = Trainer(
            self._network(objective.settings),
            objective,
            augmenter,
            with_changes(OptimizerSettings(), args.optimizer),
            self.total_steps,
            args.amp,
            self.workers,
            args.chunk,
        )
        crops = held_out(sources, args.held_out)
        plain = Augmenter(basis, flip, PLAIN, args.device)
        self.held_out: Inputs = plain(crops, 0)
        self._record(model)

    def _scale(self, augmenter: Augmenter) -> ParameterScale:
        path = self.out / "param_mean_std.npz"
        if self.args.param_scale:
            scale = load_parameter_scale(self.args.param_scale)
        elif path.exists():
            return load_parameter_scale(path)
        else:
            scale = parameter_scale(augmenter, self.sampler)
        save_arrays(path, mean=scale.mean, std=scale.std)
        return scale

    def _network(self, settings: ObjectiveSettings) -> TrainingNet:
        torch.manual_seed(self.args.seed)
        if self.args.init:
            regressor = load_mobilenet(self.args.init, self.args.width, len(self.scale.mean))
            return TrainingNet(regressor, settings.landmark_head != "off")
        network = TrainingNet(
            MobileNet(self.args.width, len(self.scale.mean)), settings.landmark_head != "off"
        )
        initialize(network)
        return network

    def _record(self, model: MorphableModel) -> None:
        settings = {
            "objective": asdict(self.trainer.objective.settings),
            "optimizer": asdict(self.trainer.settings),
            "augmentation": asdict(self.trainer.augmenter.settings),
            "command": {key: str(value) for key, value in vars(self.args).items()},
            "crops": [len(rows) for rows in self.sampler.rows],
            "face_model_vertices": model.n_vertices,
        }
        with replacing(self.out / "settings.json") as temporary:
            temporary.write_text(json.dumps(settings, indent=1), encoding="utf-8")

    def inputs(self, crops: Crops, step: int) -> Inputs:
        """Return the network's inputs of a step."""
        seed = self.args.seed * 1_000_003 + step
        augment = self.trainer.augmenter
        if self.workers is None:
            return augment(crops, seed)
        # An even number of parts, lest half of the threads wait for the last one.
        count = 2 * -(-len(crops) * self.frames // (2 * AUGMENTED_TOGETHER))
        parts = crops.split(-(-len(crops) // count))
        seeds = [seed * MOST_PARTS + i for i in range(len(parts))]
        images, params = zip(*self.workers.map(augment, parts, seeds), strict=True)
        return torch.cat(images), torch.cat(params)

    def go(self) -> None:
        """Train until the schedule ends or the time is up, saving the state on the way."""
        state = self.out / "state.pt"
        if state.exists():
            self.trainer.resume(state)
            logger.info("going on after step %d", self.trainer.step_count)
        book = Logbook(self.out / "log.csv", self.trainer.step_count)
        started = time.monotonic()
        steps = self._look_ahead if self.args.objective == "meta-joint" else self._plain
        from tqdm import tqdm

        with tqdm(
            total=self.total_steps, initial=self.trainer.step_count, unit="step", mininterval=5
        ) as bar:
            for log in steps():
                done, elapsed = self.trainer.step_count, time.monotonic() - started
                bar.update(done - bar.n)
                bar.set_postfix(
                    {key: f"{log[key]:.3g}" for key in ("loss", "val_nme") if key in log}
                )
                book.write(
                    step=done,
                    samples=done * self.args.batch_size,
                    seconds=book.seconds + elapsed,
                    learning_rate=self.trainer.learning_rate(done),
                    **log,
                )
                if "val_nme" in log:
                    self.save()
                if self.args.minutes and elapsed > 60 * self.args.minutes:
                    break
        self.save()

    def _plain(self) -> Iterator[dict[str, float]]:
        """Step by step; yield the means of each stretch of the log."""
        first = self.trainer.step_count
        rows: list[dict[str, torch.Tensor]] = []
        loading, mark = 0.0, time.monotonic()
        for step, crops in enumerate(self.sampler.batches(first, self.total_steps), first):
            before = time.monotonic()
            batch = self.inputs(crops, step)
            loading += time.monotonic() - before
            rows.append(self.trainer.step(batch))
            end = step + 1 == self.total_steps
            if len(rows) == self.args.log_every or end:
                log = {key: float(torch.stack([r[key] for r in rows]).mean()) for key in rows[0]}
                elapsed = time.monotonic() - mark
                log["samples_per_second"] = len(rows) * self.args.batch_size / elapsed
                log["loader_share"] = loading / elapsed
                if (step + 1) % self.args.validate_every < len(rows) or end:
                    log |= self._validate()
                rows, loading, mark = [], 0.0, time.monotonic()
                yield log

    def _look_ahead(self) -> Iterator[dict[str, float]]:
        """Yield the log of each look-ahead of meta-joint optimization."""
        k = self.trainer.objective.settings.look_ahead
        while self.trainer.step_count < self.total_steps:
            first = self.trainer.step_count
            end, mark = min(first + k, self.total_steps), time.monotonic()

            def batches(first: int = first, end: int = end) -> Iterator[Inputs]:
                for step, crops in enumerate(self.sampler.batches(first, end), first):
                    yield self.inputs(crops, step)

            log = look_ahead(self.trainer, batches, self.held_out)
            log["samples_per_second"] = (
                (end - first) * self.args.batch_size / (time.monotonic() - mark)
            )
            yield log | self._validate()

    def _validate(self) -> dict[str, float]:
        errors = self.trainer.validate(self.held_out)
        return {f"val_{key}": value for key, value in errors.items()}

    def save(self) -> None:
        """Write the state, and the averaged weights as a checkpoint."""
        self.trainer.save(self.out / "state.pt")
        regressor = self.trainer.average.network.regressor
        weights = {key: value.cpu().contiguous() for key, value in regressor.state_dict().items()}
        with replacing(self.out / "weights.pth") as temporary:
            torch.save({"state_dict": weights}, temporary)
