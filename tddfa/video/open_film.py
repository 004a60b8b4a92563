"""Open whatever plays as a film: video file, URL, animated picture, or a sequence of pictures."""

import os
from fractions import Fraction
from pathlib import Path

from tddfa.errors import InputError
from tddfa.io.atomic import PathLike
from tddfa.video.animation import AnimationReader, is_animated_webp
from tddfa.video.container import is_url
from tddfa.video.frame_reader import FrameReader
from tddfa.video.reader import VideoReader
from tddfa.video.sequence_names import SequenceName, is_sequence_name, pictures_in
from tddfa.video.sequence_reader import USUAL_FPS, SequenceReader

_MOST_FPS = 1000


def open_film(name: PathLike, fps: Fraction | None = None) -> FrameReader:
    """Open a film for reading.

    Parameters
    ----------
    name : path-like
        Video file, animated picture, URL, ``frame_%04d.png``, or a folder of pictures.
    fps : Fraction, optional
        Pictures per second of a sequence, 25 if left out.

    Raises
    ------
    InputError
        If it cannot be read, or `fps` is given for what has times of its own.
    """
    text = os.fspath(name)
    if not is_url(text):
        if is_sequence_name(text):
            return SequenceReader(SequenceName.parse(text).find(), fps or USUAL_FPS)
        if Path(text).is_dir():
            return SequenceReader(pictures_in(Path(text)), fps or USUAL_FPS)
    if fps is not None:
        raise InputError(f"--fps: expected a sequence of pictures, '{text}' has times of its own")
    if is_animated_webp(text):
        return AnimationReader(text)
    return VideoReader(text)


def film_stem(name: str) -> str:
    """Return what files made from a film are called.

    Examples
    --------
    >>> [film_stem(name) for name in ("a/clip.mp4", "a/frame_%04d.png", "rtsp://host/door?x=1")]
    ['clip', 'frame', 'door']
    """
    if is_url(name):
        name = name.split("://", 1)[1].split("?", 1)[0].rstrip("/")
        return Path(name).stem or "stream"
    path = Path(name)
    if path.is_dir():
        return path.resolve().name or "frames"
    if is_sequence_name(name):
        return path.stem.split("%", 1)[0].rstrip("_-. ") or path.resolve().parent.name or "frames"
    return path.stem


def parse_fps(text: str) -> Fraction:
    """Read ``25``, ``29.97`` or ``30000/1001``.

    Raises
    ------
    ValueError
        If it is none, or out of range.
    """
    value = Fraction(text).limit_denominator(100_000)
    if not 0 < value <= _MOST_FPS:
        raise ValueError(text)
    return value
