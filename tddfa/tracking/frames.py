"""A frame of a video on its way from the reader to the writer."""

from dataclasses import dataclass, field

from tddfa.picture import ImageArray
from tddfa.tracking.track import TrackedFace
from tddfa.video.shape import StoredPicture


@dataclass(frozen=True)
class Frame:
    """A picture, when it is shown, and the faces in it.

    Attributes
    ----------
    index : int
        Number of the frame in its file, from 0.
    time : float
        Seconds since the file's start.
    image : ndarray, shape (H, W, 3), uint8
        BGR picture, upright, on square pixels.
    faces : list of TrackedFace
        By track id.
    cut : bool
        Whether a new shot begins here.
    pts : int
        The same time in the reader's unit, for writing it unchanged.
    stored : StoredPicture, optional
        The picture as its file stores it, where its pixels are not square.
    """

    index: int
    time: float
    image: ImageArray
    faces: list[TrackedFace] = field(default_factory=list)
    cut: bool = False
    pts: int = 0
    stored: StoredPicture | None = None
