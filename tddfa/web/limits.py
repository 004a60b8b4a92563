"""How large uploads may be and how long work on them may take."""

import time
from dataclasses import dataclass

from tddfa.errors import InputError


@dataclass(frozen=True)
class Limits:
    """Limits of the page.

    Attributes
    ----------
    upload_mb : int
        Size of an upload at most, in units of 2^20 bytes; larger ones are refused while they come.
    megapixels : int
        Pixels of a picture at most, in millions.
    clip_megapixels : int
        Pixels of a clip's frames at most, in millions.
    clip_seconds : int
        Of longer clips the beginning is worked on.
    work_seconds : int
        Seconds that the work on one upload may take.
    faces : int
        Of pictures with more faces those with the best scores are shown.
    clip_faces : int
        Faces that are followed in a clip at once, the largest first.
    heads : int
        Faces with a mesh in the files for 3D at most: a head as GLB is 9 MB.
    at_once : int
        Uploads that are worked on at the same time.
    waiting : int
        Visitors who may wait for their turn; more are told to come back.
    keep_seconds : int
        Seconds that uploads and results are kept.
    stored_mb : int
        Uploads and results together at most, in units of 2^20 bytes; the oldest go first.
    """

    upload_mb: int = 64
    megapixels: int = 30
    clip_megapixels: int = 9
    clip_seconds: int = 30
    work_seconds: int = 180
    faces: int = 30
    clip_faces: int = 8
    heads: int = 4
    at_once: int = 2
    waiting: int = 16
    keep_seconds: int = 1800
    stored_mb: int = 2048

    def check_size(self, size: int) -> None:
        """Raise `InputError` if an upload of `size` bytes is too large."""
        if size > self.upload_mb << 20:
            raise InputError(f"the file has {size >> 20} MB, expected {self.upload_mb} at most")

    def check_picture(self, width: int, height: int) -> None:
        """Raise `InputError` if a picture has too many pixels."""
        _check_pixels("picture", width, height, self.megapixels)

    def check_clip(self, width: int, height: int) -> None:
        """Raise `InputError` if a clip's frames have too many pixels."""
        _check_pixels("clip", width, height, self.clip_megapixels)


def _check_pixels(kind: str, width: int, height: int, most: int) -> None:
    if width * height > most * 1_000_000:
        raise InputError(
            f"the {kind} has {width}x{height} pixels, expected {most} megapixels at most"
        )


class Deadline:
    """The time when work on an upload must be done.

    Parameters
    ----------
    seconds : float
        From now on.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def check(self) -> None:
        """Raise `InputError` if it is over."""
        if time.monotonic() > self._end:
            raise InputError(
                f"the work took longer than {self._seconds:g} s: send a smaller or shorter one"
            )
