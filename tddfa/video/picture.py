"""What readers of films give: pictures with their times."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from tddfa.io.decode import ImageArray
from tddfa.video.shape import StoredPicture


@dataclass(frozen=True)
class Picture:
    """One decoded frame.

    Attributes
    ----------
    index : int
        Number of the frame in the file, from 0; frames that could not be decoded are not counted.
    pts : int
        Presentation time in units of the reader's `time_base`; the file starts at 0.
    time : float
        The same in seconds.
    image : ndarray, shape (H, W, 3), uint8
        BGR on square pixels, C-contiguous. All pictures of a file have the size of the first.
    stored : StoredPicture, optional
        The picture as the file stores it, where its pixels are not square.
    """

    index: int
    pts: int
    time: float
    image: ImageArray
    stored: StoredPicture | None = None


class FrameReader(Protocol):
    """A film: a video file, an animated picture or a sequence of pictures.

    Attributes
    ----------
    skipped : int
        Packets, frames or files so far that could not be decoded.
    damaged : int
        Frames so far that are shown although parts of them are damaged.
    leaps : int
        How often the file's clock leapt so far.
    missing : int
        Numbers without a picture between the first and the last of a sequence.
    ended : bool
        Whether the last frame is out.
    has_sound : bool
        Whether there is sound to be taken over.
    numbers : tuple of int, or None
        Number of each picture of a sequence.
    """

    skipped: int
    damaged: int
    leaps: int
    missing: int
    ended: bool

    @property
    def has_sound(self) -> bool: ...  # noqa: D102
    @property
    def numbers(self) -> tuple[int, ...] | None: ...  # noqa: D102
    @property
    def time_base(self) -> Fraction: ...  # noqa: D102
    @property
    def rate(self) -> Fraction: ...  # noqa: D102
    @property
    def n_frames(self) -> int | None: ...  # noqa: D102
    def __iter__(self) -> Iterator[Picture]: ...
    def close(self) -> None: ...  # noqa: D102
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
