"""How a tracker decides: intervals, confirmations, thresholds."""

from dataclasses import dataclass

from tddfa.errors import InputError


@dataclass(frozen=True)
class TrackerSettings:
    """How a tracker decides.

    Attributes
    ----------
    detect_every : int
        Frames between two searches of the whole picture.
    birth : int
        Confirmations before a track counts.
    death : int
        Frames without being seen after which a track ends.
    high : float
        Detector's score that begins a track.
    max_faces : int, optional
        Follow no more than this, the largest first.
    upright : bool
        Turn ROIs of faces that are rolled far upright, new ones as a face check says, if there is
        one, others by their pose in the frame before; and turn frames that lie to find faces.
    """

    detect_every: int = 15
    birth: int = 2
    death: int = 15
    high: float = 0.5
    max_faces: int | None = None
    upright: bool = True

    def __post_init__(self) -> None:
        for name in ("detect_every", "birth", "death", "max_faces"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name}: expected an integer from 1 up, got {value}")
        if not 0 < self.high <= 1:
            raise InputError(f"high: expected a score in (0, 1], got {self.high}")
