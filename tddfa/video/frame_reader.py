"""What readers of films give: frames with their times."""

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from tddfa.frame import Frame


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
    def has_sound(self) -> bool: ...  # noqa: D102 (the protocol says it)
    @property
    def numbers(self) -> tuple[int, ...] | None: ...  # noqa: D102 (the protocol says it)
    @property
    def time_base(self) -> Fraction: ...  # noqa: D102 (the protocol says it)
    @property
    def rate(self) -> Fraction: ...  # noqa: D102 (the protocol says it)
    @property
    def n_frames(self) -> int | None: ...  # noqa: D102 (the protocol says it)
    def __iter__(self) -> Iterator[Frame]: ...
    def close(self) -> None: ...  # noqa: D102 (the protocol says it)
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
