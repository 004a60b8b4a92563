"""A training run in a folder: its data, its network, its log and the state it goes on from."""

import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from tddfa.backbone import build_backbone, load_backbone
from tddfa.checkpoints import load_labels, save_checkpoint
from tddfa.errors import InputError
from tddfa.io.atomic import replacing, save_arrays
from tddfa.model_files import load_face_model
from tddfa.morphable_model import MorphableModel
from tddfa.params import N_CAMERA, ParameterScale, load_parameter_scale
from tddfa.weight_labels import regressor_labels
from training.augmentation.augment import PLAIN, Augmenter
from training.blendshapes.sources import with_blendshapes
from training.cpu.workers import Workers
from training.dataset.batch import Crops
from training.dataset.packed import open_packed
from training.dataset.rarity import draw_weights
from training.dataset.sampler import BatchSampler, held_out
from training.provenance.runs import record_run, require_run
from training.regressor.basis import landmark_basis, mirror_matrix
from training.regressor.logbook import Logbook
from training.regressor.losses import T_Z
from training.regressor.meta_joint import look_ahead
from training.regressor.network import TrainingNet, initialize
from training.regressor.objective import Objective
from training.regressor.steps import Inputs, Trainer
from training.regressor.train_settings import TrainSettings

logger = logging.getLogger(__name__)
SCALE_BATCHES = 16
AUGMENTED_TOGETHER = 32  # views that a core's cache holds
MOST_PARTS = 10_000  # of a batch


def parameter_scale(augmenter: Augmenter, sampler: BatchSampler) -> ParameterScale:
    """Return mean and standard deviation of the parameters over augmented crops."""
    # Steps that training never reaches.
    steps = range(2**40, 2**40 + SCALE_BATCHES)
    params = [augmenter(sampler.batch(step), step)[1] for step in steps]
    length = N_CAMERA + augmenter.flip.shape[0]  # blendshapes may stand behind them
    every = torch.cat(params)[:, :length].cpu().double().numpy()
    mean, std = every.mean(axis=0), every.std(axis=0)
    mean[T_Z], std[T_Z] = 0.0, 1.0
    return ParameterScale(mean.astype(np.float32), np.maximum(std, 1e-12).astype(np.float32))


class Run:
    """A training run in a folder.

    Parameters
    ----------
    settings : TrainSettings

    Raises
    ------
    InputError
        If the face model, the data or weights to start from cannot be used.

    Examples
    --------
    >>> from pathlib import Path
    >>> settings = TrainSettings((Path("data/photos"),), Path("runs/mb05"))  # doctest: +SKIP
    >>> Run(settings).go()  # doctest: +SKIP
    """

    def __init__(self, settings: TrainSettings) -> None:
        self.settings = settings
        self.out = settings.out
        self.frames, self.total_steps = settings.frames, settings.total_steps
        networks = [("--init", settings.init)] if settings.init else []
        made_of = (*settings.data, *settings.blendshapes)
        self.made_from = require_run(made_of, networks, settings.free)
        model = load_face_model(settings.face_model)
        sources = [open_packed(folder) for folder in settings.data]
        for folder, source in zip(settings.data, sources, strict=True):
            if source.face_model != model.id:
                raise InputError(
                    f"'{folder}': its labels are not known to be for '{settings.face_model}' "
                    "(older ones: python -m training.face_model.recenter labels)"
                )
        spread = None
        if settings.blendshapes:
            sources, spread = with_blendshapes(settings.data, sources, settings.blendshapes)
        shares = settings.shares or [len(source) for source in sources]
        weights = [draw_weights(s.labels, model) * s.labels.weight for s in sources]
        per_batch = settings.batch_size // self.frames
        self.sampler = BatchSampler(sources, shares, per_batch, settings.seed, weights)
        basis, flip = landmark_basis(model), mirror_matrix(model)
        shapes = spread is not None
        augmenter = Augmenter(basis, flip, settings.augmentation, settings.device, shapes)
        self.scale = self._scale(augmenter)
        self.labels = regressor_labels(model, self.scale, settings.width)
        self.workers = (
            None if settings.device != "cpu" else Workers(settings.threads or os.cpu_count() or 1)
        )
        objective = Objective(
            model,
            self.scale,
            settings.objective,
            settings.device,
            spread,
        )
        self.trainer = Trainer(
            self._network(),
            objective,
            augmenter,
            settings.optimizer,
            self.total_steps,
            settings.amp,
            self.workers,
            settings.chunk,
        )
        crops = held_out(sources, settings.held_out)
        plain = Augmenter(basis, flip, PLAIN, settings.device)
        self.held_out: Inputs = plain(crops, 0)
        self._record(model)

    def _scale(self, augmenter: Augmenter) -> ParameterScale:
        path = self.out / "param_mean_std.npz"
        if self.settings.param_scale:
            scale = load_parameter_scale(self.settings.param_scale)
        elif path.exists():
            return load_parameter_scale(path)
        else:
            scale = parameter_scale(augmenter, self.sampler)
        if self.settings.init:
            self._check_scale(scale, self.settings.init)
        save_arrays(path, mean=scale.mean, std=scale.std)
        return scale

    def _check_scale(self, scale: ParameterScale, init: Path) -> None:
        """Refuse a scale that weights to start from do not have: what they say would be shifted.

        Free weights bring a scale of free data with them; of others nobody can tell.
        """
        known = load_labels(init).param_scale
        unknown = self.settings.free and self.settings.param_scale and known is None
        if unknown or known not in (None, scale.id):
            raise InputError(
                f"--init '{init}': expected --param-scale with the mean and std that it was "
                "trained with"
            )

    def _network(self) -> TrainingNet:
        torch.manual_seed(self.settings.seed)
        kind = (self.settings.arch, self.settings.width, len(self.scale.mean))
        heads = (self.settings.objective.landmark_head != "off", bool(self.settings.blendshapes))
        if self.settings.init:
            return TrainingNet(load_backbone(self.settings.init, *kind), *heads)
        network = TrainingNet(build_backbone(*kind), *heads)
        initialize(network)
        return network

    def _record(self, model: MorphableModel) -> None:
        settings = asdict(self.settings) | {
            "crops": [len(rows) for rows in self.sampler.rows],
            "face_model_vertices": model.n_vertices,
        }
        with replacing(self.out / "settings.json") as temporary:
            temporary.write_text(json.dumps(settings, indent=1, default=str), encoding="utf-8")

    def inputs(self, crops: Crops, step: int) -> Inputs:
        """Return the network's inputs of a step."""
        seed = self.settings.seed * 1_000_003 + step
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
        steps = self._look_ahead if self.settings.objective.main == "meta-joint" else self._plain
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
                    samples=done * self.settings.batch_size,
                    seconds=book.seconds + elapsed,
                    learning_rate=self.trainer.learning_rate(done),
                    **log,
                )
                if "val_nme" in log:
                    self.save()
                if self.settings.minutes and elapsed > 60 * self.settings.minutes:
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
            if len(rows) == self.settings.log_every or end:
                log = {key: float(torch.stack([r[key] for r in rows]).mean()) for key in rows[0]}
                elapsed = time.monotonic() - mark
                log["samples_per_second"] = len(rows) * self.settings.batch_size / elapsed
                log["loader_share"] = loading / elapsed
                if (step + 1) % self.settings.validate_every < len(rows) or end:
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
                (end - first) * self.settings.batch_size / (time.monotonic() - mark)
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
        save_checkpoint(self.out / "weights.pth", weights, self.labels)
        record_run(self.out / "weights.pth", self.made_from, self.settings.free)
