"""A film written as numbered pictures."""

from collections.abc import Sequence
from fractions import Fraction
from types import TracebackType

from tddfa.errors import InputError
from tddfa.io.decode import ImageArray
from tddfa.io.pictures import imwrite
from tddfa.video.sequence_names import SequenceName
from tddfa.video.shape import SQUARE, to_square


class SequenceWriter:
    """Write pictures one by one, each whole or not at all; a context manager.

    Pixels are square: a picture file cannot say otherwise in a way that viewers heed.

    Parameters
    ----------
    name : SequenceName
        Where they go; missing parent folders are made.
    numbers : sequence of int, optional
        Number of each frame by its index; the index itself if left out.
    first : int, optional
        Number of the first picture that is written; the following ones count on from it.

    Attributes
    ----------
    frames : int
        Pictures written so far.
    whole : bool
        Of no meaning here, see `VideoWriter`.
    """

    def __init__(
        self, name: SequenceName, numbers: Sequence[int] | None = None, first: int | None = None
    ) -> None:
        self.name = name
        self.frames = 0
        self.whole = True
        self._numbers = numbers
        self._first = first
        try:
            name.folder.resolve().mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write {name.folder}: {error.strerror or error}") from error

    def number(self, index: int) -> int:
        """Return the number of the next picture, which is the frame `index`."""
        if self._first is not None:
            return self._first + self.frames
        return index if self._numbers is None else self._numbers[index]

    def write(self, image: ImageArray, index: int, aspect: Fraction = SQUARE) -> None:
        """Write a BGR picture (H, W, 3), the frame `index`.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        imwrite(self.name.path(self.number(index)), to_square(image, aspect))
        self.frames += 1

    def __enter__(self) -> "SequenceWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass
