"""What people hand over as a picture or a film."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.picture import ImageArray, check_picture


def read_picture(image: Any, name: str) -> ImageArray:
    """Return a picture that is given as an array or a path.

    Raises
    ------
    InputError
        If it is neither a BGR picture nor a file with one.
    """
    if isinstance(image, str | Path):
        from tddfa.io.pictures import imread

        return imread(image)
    if image is None:
        raise InputError(
            f"{name}: expected a picture, got None, which cv2.imread returns for a file that it "
            "cannot read"
        )
    return check_picture(image, name)


def numbered(pictures: Iterable[ImageArray | Frame], fps: float) -> Iterator[Frame]:
    """Yield pictures as frames, `fps` a second; frames stay what they are."""
    for number, picture in enumerate(pictures):
        if isinstance(picture, Frame):
            yield picture
        else:
            image = read_picture(picture, f"frame {number}")
            yield Frame(number, number / fps, image, pts=number)


def decoded(path: str | Path, fps: float | None) -> Iterator[Frame]:
    """Yield the frames of a film, decoded in a thread of its own."""
    from tddfa.video.open_film import open_film
    from tddfa.video.work_ahead import ahead

    rate = None if fps is None else Fraction(fps).limit_denominator(100_000)
    with open_film(path, rate) as reader:
        yield from ahead(iter(reader))
