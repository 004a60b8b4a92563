"""What a training run is to do, as data: from the command line or from Python."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from tddfa.errors import InputError
from tddfa.plugins import part_names
from training.augmentation.augment import AugmentSettings
from training.regressor.objective import ObjectiveSettings
from training.regressor.steps import OptimizerSettings


@dataclass(frozen=True)
class TrainSettings:
    """A training run.

    Attributes
    ----------
    data : tuple of Path
        Packed data sets.
    out : Path
        Folder of the run.
    shares : tuple of float
        Shares of the data sets in a batch; by their sizes if empty.
    face_model : Path
    param_scale : Path, optional
        Mean and std of the parameters; measured on the data if left out. Weights to start from
        must have been trained with them.
    init : Path, optional
        Weights to start from; random ones if left out.
    arch : str
        Network, a module of `tddfa.backbones`.
    width : float
        Of the network, 0.5 or 1.0.
    objective, optimizer, augmentation
        Losses, steps, views.
    samples : int
        Length of the schedule.
    batch_size : int
        A multiple of ``augmentation.views.frames``.
    minutes : float, optional
        Stop after so long; a run of the same folder goes on.
    seed : int
    device : {'cpu', 'cuda'}
    threads : int, optional
        CPU threads; one per core if left out.
    chunk : int
        Pictures per thread at a time.
    amp : bool
        Activations in bfloat16.
    log_every, validate_every : int
        Steps.
    held_out : int
        Crops to validate on.
    blendshapes : tuple of Path
        Folders of ``training.blendshape_labels``: a head beside the regressor's own learns them.
    free : bool
        Refuse what is not known to be free for any use, see `training.provenance`.

    Raises
    ------
    InputError
        If the device or the network is absent, or shares or batch size do not fit.
    """

    data: tuple[Path, ...]
    out: Path
    shares: tuple[float, ...] = ()
    face_model: Path = Path("configs/face_model.npz")
    param_scale: Path | None = None
    init: Path | None = None
    arch: str = "mobilenet"
    width: float = 0.5
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    augmentation: AugmentSettings = field(default_factory=AugmentSettings)
    samples: int = 5_000_000
    batch_size: int = 128
    minutes: float | None = None
    seed: int = 0
    device: str = "cpu"
    threads: int | None = None
    chunk: int = 64
    amp: bool = False
    log_every: int = 50
    validate_every: int = 500
    held_out: int = 512
    blendshapes: tuple[Path, ...] = ()
    free: bool = False

    def __post_init__(self) -> None:
        if self.device == "cuda" and not torch.cuda.is_available():
            raise InputError("--device cuda: PyTorch finds no CUDA device")
        if self.arch not in part_names("tddfa.backbones"):
            known = ", ".join(part_names("tddfa.backbones"))
            raise InputError(f"--arch: expected one of {known}, got '{self.arch}'")
        if self.shares and len(self.shares) != len(self.data):
            raise InputError(f"--shares: expected {len(self.data)} numbers, got {len(self.shares)}")
        if self.free and self.param_scale and not self.init:
            raise InputError("--free: expected no --param-scale, it is measured on the data")
        if self.batch_size % self.frames:
            raise InputError(f"--batch-size: expected a multiple of views.frames = {self.frames}")

    @property
    def frames(self) -> int:
        """Views of each crop in a batch."""
        return self.augmentation.views.frames

    @property
    def total_steps(self) -> int:
        """Steps of the whole schedule."""
        return max(1, self.samples // self.batch_size)
