"""What a training run of the detector is to do, as data: from the command line or from Python."""

from dataclasses import dataclass, field
from pathlib import Path

from tddfa.errors import InputError
from training.detector.picture import ComposeSettings


@dataclass(frozen=True)
class DetectorTrainSettings:
    """A training run of FaceBoxes.

    Attributes
    ----------
    scenes, scene_boxes : Path, optional
        Folder of whole photos, and their boxes; without them all faces are pasted crops.
    negatives, negative_boxes : Path, optional
        Folder of pictures without a face, and their doubtful places.
    crops : tuple of Path
        Packed face crops.
    out : Path
        Folder of the run.
    turned : tuple of Path
        Packed turned crops.
    scene_decoys, negative_decoys, empty_decoys : Path, optional
        What a detector took for faces there.
    empty : Path, optional
        More pictures without a face, where another detector's word is worth nothing. One of
        `negatives` and `empty` must be there.
    most_crops : int
        Of each set, kept in memory.
    rare_crops : Path, optional
        Square crops without labels, such as masks.
    rare_share : float
        Theirs of all crops.
    init, teacher : str, optional
        Weights to start from; a detector whose scores and boxes are learned.
    composition : ComposeSettings
        How pictures are made.
    samples, batch_size, rate, seed
        Length of the schedule in pictures, pictures per step, peak learning rate, seed.
    optimizer : {'sgd', 'muon'}
        What moves the weights, see `training.detector.trainer.make_optimizer`.
    minutes : float, optional
        Stop after so long; a run of the same folder goes on.
    workers, threads, parts : int
        Processes that make pictures, CPU threads (one per core if None), parts of a batch.
    device : {'cpu', 'cuda'}
    amp : bool
        Activations in bfloat16.
    log_every, save_every : int
        Steps.
    free : bool
        Refuse what is not known to be free for any use, see `training.provenance`.

    Raises
    ------
    InputError
        If the pictures' size does not fit the network, or pictures are given without their boxes.
    """

    scenes: Path | None
    scene_boxes: Path | None
    negatives: Path | None
    negative_boxes: Path | None
    crops: tuple[Path, ...]
    out: Path
    turned: tuple[Path, ...] = ()
    scene_decoys: Path | None = None
    negative_decoys: Path | None = None
    empty: Path | None = None
    empty_decoys: Path | None = None
    most_crops: int = 20_000
    rare_crops: Path | None = None
    rare_share: float = 0.15
    init: str | None = None
    teacher: str | None = None
    composition: ComposeSettings = field(default_factory=ComposeSettings)
    samples: int = 400_000
    batch_size: int = 16
    rate: float = 0.02
    optimizer: str = "sgd"
    seed: int = 0
    minutes: float | None = None
    workers: int = 1
    threads: int | None = None
    parts: int = 2
    device: str = "cpu"
    amp: bool = False
    log_every: int = 50
    save_every: int = 500
    free: bool = False

    def __post_init__(self) -> None:
        if self.composition.size % 128:
            raise InputError(f"size: expected a multiple of 128, got {self.composition.size}")
        if (self.scenes is None) != (self.scene_boxes is None):
            raise InputError("--scenes: expected --scene-boxes with it, and not alone")
        if (self.negatives is None) != (self.negative_boxes is None):
            raise InputError("--negatives: expected --negative-boxes with it, and not alone")
        if self.negatives is None and self.empty is None:
            raise InputError("--negatives: expected them, or --empty")
        if self.free and self.rare_crops:
            raise InputError("--free: expected no --rare-crops, which have no manifest")
        if self.free and self.empty and not self.empty_decoys:
            raise InputError("--free: expected --empty-decoys, whose manifest --empty stands in")

    @property
    def sources(self) -> tuple[Path, ...]:
        """All data sets and archives that training reads, each with a manifest of its own."""
        archives = (
            self.scene_boxes,
            self.negative_boxes,
            self.scene_decoys,
            self.negative_decoys,
            self.empty_decoys,
        )
        given = (path for path in archives if path is not None)
        return (*given, *self.crops, *self.turned)

    @property
    def networks(self) -> list[tuple[str, Path]]:
        """Option and file of the weights that training starts from and learns from."""
        options = (("--init", self.init), ("--teacher", self.teacher))
        return [(option, Path(path)) for option, path in options if path]

    @property
    def total_steps(self) -> int:
        """Steps of the whole schedule."""
        return max(1, self.samples // self.batch_size)
