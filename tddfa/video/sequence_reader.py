"""Numbered pictures, or a folder of them, read as a film."""

import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.io.pictures import imread
from tddfa.video.sequence_names import missing_numbers
from tddfa.video.shape import SQUARE, CommonShape

logger = logging.getLogger(__name__)

USUAL_FPS = Fraction(25)


class SequenceReader:
    """Iterate over pictures as over the frames of a film; a context manager.

    Pictures follow each other at `fps`, also where numbers are missing. One that cannot be read is
    named and left out: the picture before it stays for its time. All are brought into the size of
    the first, see `CommonShape`.

    Parameters
    ----------
    pictures : sequence of (number, path)
        In order.
    fps : Fraction
        Pictures per second.

    Attributes
    ----------
    skipped, damaged, leaps, missing, ended
        See `FrameReader`. A `Frame.index` is the picture's place in the sequence.
    """

    has_sound = False

    def __init__(self, pictures: Sequence[tuple[int, Path]], fps: Fraction = USUAL_FPS) -> None:
        self.paths = [path for _, path in pictures]
        self.numbers = tuple(number for number, _ in pictures)
        self.rate = fps
        self.skipped = self.damaged = self.leaps = 0
        self.missing = missing_numbers(self.numbers)
        self.ended = False

    @property
    def time_base(self) -> Fraction:
        """Seconds of a picture."""
        return 1 / self.rate

    @property
    def n_frames(self) -> int:
        """Number of pictures."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Frame]:
        """Read the pictures in order."""
        shape = CommonShape()
        for index, path in enumerate(self.paths):
            try:
                image = imread(path)
            except InputError as error:
                logger.warning("skipped: %s", error)
                self.skipped += 1
                continue
            image, _ = shape(image, SQUARE)
            yield Frame(index, float(index * self.time_base), image, pts=index)
        self.ended = True

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def __enter__(self) -> "SequenceReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
