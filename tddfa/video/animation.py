"""Animated WebP, which FFmpeg does not decode, through Pillow."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.io.atomic import PathLike
from tddfa.io.decode import to_bgr

# A header's bytes: RIFF, size, WEBP, VP8X, size, flags, canvas.
_HEADER = 30
_ANIMATED = 0x02
# Pixels of a canvas beyond which a file is refused, as Pillow does.
_MOST_PIXELS = 2**26
_USUAL_MS = 100


def is_animated_webp(path: PathLike) -> bool:
    """Tell an animated WebP by its header."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEADER)
    except (OSError, ValueError):
        return False
    return (
        len(head) == _HEADER
        and (head[:4], head[8:16]) == (b"RIFF", b"WEBPVP8X")
        and bool(head[20] & _ANIMATED)
    )


class AnimationReader:
    """Iterate over the frames of an animated WebP; a context manager.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    skipped, damaged, leaps, missing, ended
        See `FrameReader`.

    Raises
    ------
    InputError
        If it cannot be decoded.
    """

    has_sound = False
    numbers = None
    time_base = Fraction(1, 1000)

    def __init__(self, path: PathLike) -> None:
        from PIL import Image  # rare, and start-up must stay short

        self.path = path
        self.skipped = self.damaged = self.leaps = self.missing = 0
        self.ended = False
        with Path(path).open("rb") as file:
            head = file.read(_HEADER)
        width, height = (1 + int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        if width * height > _MOST_PIXELS:
            raise InputError(
                f"{path}: expected at most {_MOST_PIXELS} pixels, got {width}x{height}"
            )
        try:
            self._image: Any = Image.open(path, formats=["WEBP"])
        except (OSError, SyntaxError, ValueError) as error:
            raise InputError(f"{path}: the animation cannot be decoded") from error

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self._image.n_frames)

    @property
    def rate(self) -> Fraction:
        """Frames per second by the first one's duration."""
        return Fraction(1000, max(1, int(self._image.info.get("duration", 0)) or _USUAL_MS))

    def __iter__(self) -> Iterator[Frame]:
        """Decode the frames."""
        start = 0
        for index in range(self.n_frames):
            try:
                self._image.seek(index)
                image = np.asarray(self._image.convert("RGBA"))
            except (OSError, EOFError, ValueError):
                self.skipped += 1
                break
            bgr = to_bgr(np.ascontiguousarray(image[..., [2, 1, 0, 3]]))
            yield Frame(index, start / 1000, bgr, pts=start)
            start += max(1, int(self._image.info.get("duration", 0)) or _USUAL_MS)
        self.ended = True

    def close(self) -> None:
        """Close the file."""
        self._image.close()

    def __enter__(self) -> "AnimationReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
