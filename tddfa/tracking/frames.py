"""A frame of a video on its way from the reader to the writer."""

from dataclasses import dataclass, field

from tddfa.picture import ImageArray
from tddfa.tracking.track import TrackedFace


@dataclass(frozen=True)
class Frame:
    """A picture, when it is shown, and the faces in it.

    Attributes
    ----------
    index : int
        Number of the frame in its file, from 0.
    time : float
        Seconds on the file's clock.
    image : ndarray, shape (H, W, 3), uint8
        BGR picture, upright.
    faces : list of TrackedFace
        By track id.
    cut : bool
        Whether a new shot begins here.
    pts : int
        The same time in the file's own unit, for writing it unchanged.
    """

    index: int
    time: float
    image: ImageArray
    faces: list[TrackedFace] = field(default_factory=list)
    cut: bool = False
    pts: int = 0
