"""Fix, by file name alone, which pictures are never trained on."""

import hashlib
import re
from pathlib import PurePosixPath

# Consecutive numbers are often frames of one video: so many of them fall on the same side.
BLOCK = 20


def bucket(name: str, count: int) -> int:
    """Return a number in 0..count-1 that depends on the name only."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % count


def is_held_out_picture(name: str) -> bool:
    """Return whether a whole photo, annotated or without a face, is of the held-out third.

    A last number is left out of the name: ``afw_123_1`` and ``afw_123_2`` may be one photo.

    Examples
    --------
    >>> is_held_out_picture("images/afw_123_1.webp") == is_held_out_picture("afw_123_2.jpg")
    True
    """
    stem = PurePosixPath(name).stem
    return bucket(re.sub(r"_\d+$", "", stem), 3) == 0


def is_held_out_crop(name: str, share: int = 40) -> bool:
    """Return whether a face crop is of the held-out fortieth.

    Examples
    --------
    >>> is_held_out_crop("ytf/00100.webp") == is_held_out_crop("ytf/00119.webp")
    True
    """
    path = PurePosixPath(name)
    prefix = path.stem.rstrip("0123456789")
    number = path.stem[len(prefix) :]
    group = f"{prefix}{int(number) // BLOCK}" if number else prefix
    return bucket(f"{path.parent.name}/{group}", share) == 0
