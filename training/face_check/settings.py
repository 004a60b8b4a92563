"""What a training run of the face check is to do, as data: from the command line or from Python."""

from dataclasses import dataclass, field
from pathlib import Path

from tddfa.errors import InputError
from training.augmentation.photometric import PhotometricSettings


@dataclass(frozen=True)
class SampleSettings:
    """How training crops are drawn.

    Attributes
    ----------
    faces : float
        Share of crops with a face.
    found : float
        Share of those that a detector found in whole pictures; the others are labelled crops.
    parts : float
        Share of crops without a face that show a part of one, such as an eye.
    decoys : float
        Share of the others that a detector reported.
    hard : float
        Share of decoys drawn from those that an earlier network took for faces, if there is one.
    rolled : float
        Share that is rolled by any angle; the others by `roll`.
    roll : float
        Standard deviation in degrees.
    shift : float
        Standard deviation of the crop's center, in sides of the ROI.
    zoom : (float, float)
        Range of the crop's side in ROIs: the aligner's crop around landmarks is a fifth smaller
        than around a detector's box.
    tuned : float
        Share of crops whose side is drawn within 10 % instead, as detectors give it.
    background : float
        Share of crops before another picture; the others end at the photo's edge.
    photometric : PhotometricSettings
    """

    faces: float = 0.45
    found: float = 0.2
    parts: float = 0.1
    decoys: float = 0.65
    hard: float = 0.3
    rolled: float = 0.7
    roll: float = 15.0
    shift: float = 0.06
    zoom: tuple[float, float] = (0.7, 1.35)
    tuned: float = 0.4
    background: float = 0.5
    photometric: PhotometricSettings = field(
        default_factory=lambda: PhotometricSettings(
            low_resolution=0.35, resolution=(0.2, 0.75), blur_sigma=(0.4, 1.4)
        )
    )


@dataclass(frozen=True)
class CheckTrainSettings:
    """A training run of the face check.

    Attributes
    ----------
    crops : tuple of Path
        Packed sets of labelled faces, detected or turned (`training.prepare`, `.synthesize`).
    candidates : tuple of Path
        Archives of `training.face_check.candidates`.
    out : Path
        Folder of the run.
    shares : tuple of float
        How often a face is drawn from each set of `crops`; by their size if empty.
    init, critic : Path, optional
        Weights to start from; weights whose mistakes are shown more often.
    face_model : str
        What the labels of `crops` are parameters of.
    sampling : SampleSettings
    samples, batch_size, rate, seed
        Length of the schedule in crops, crops per step, peak learning rate, seed.
    workers, threads : int
        Processes that make crops, CPU threads.
    log_every, save_every : int
        Steps.
    free : bool
        Refuse what is not known to be free for any use, see `training.provenance`.

    Raises
    ------
    InputError
        If the shares are not as many as the sets.
    """

    crops: tuple[Path, ...]
    candidates: tuple[Path, ...]
    out: Path
    shares: tuple[float, ...] = ()
    init: Path | None = None
    critic: Path | None = None
    face_model: str = "configs/face_model.npz"
    sampling: SampleSettings = field(default_factory=SampleSettings)
    samples: int = 800_000
    batch_size: int = 256
    rate: float = 4e-3
    seed: int = 0
    workers: int = 1
    threads: int = 1
    log_every: int = 50
    save_every: int = 200
    free: bool = False

    def __post_init__(self) -> None:
        if self.shares and len(self.shares) != len(self.crops):
            raise InputError(
                f"--shares: expected {len(self.crops)} numbers, one a set, got {len(self.shares)}"
            )

    @property
    def total_steps(self) -> int:
        """Steps of the whole schedule."""
        return max(1, self.samples // self.batch_size)
