"""Open a file or stream with FFmpeg, and tell which of its streams are the picture and sound."""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from tddfa.errors import InputError
from tddfa.io.atomic import PathLike

logger = logging.getLogger(__name__)

# Seconds to open a URL and to wait for its next packet.
URL_TIMEOUT = (10.0, 5.0)
# What FFmpeg's muxers call attached pictures and previews, as bits of a stream's disposition.
_PICTURE_ONLY = 0x400 | 0x800 | 0x100000  # attached_pic, timed_thumbnails, still_image
_DEFAULT = 0x1
# Errors of the demuxer that are read over before the file counts as at its end.
_MOST_READ_ERRORS = 20
# PyAV 19 replaces what is no UTF-8 in metadata by itself and does not know the argument.
_METADATA: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
)


def is_url(name: str) -> bool:
    """Tell a URL (``rtsp://…``) from a path, of Windows, too."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name) is not None


def open_container(path: PathLike) -> Any:
    """Open a file or URL for reading, with one line naming it if that fails."""
    name = os.fspath(path)
    try:
        if is_url(name):
            return av.open(name, timeout=URL_TIMEOUT, **_METADATA)
        file = Path(path)
        if file.is_dir():
            raise InputError(f"{name}: expected a video file, found a folder")
        if not file.exists():
            raise InputError(f"{name}: no such file")
        if file.is_file() and file.stat().st_size == 0:
            raise InputError(f"{name}: the file is empty")
        # Without the protocol FFmpeg would take 'a:b.mp4' for one.
        return av.open(f"file:{name}", **_METADATA)
    except InputError:
        raise
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(
            f"{name}: expected a video, or the file is damaged ({reason(error)})"
        ) from error
    except ValueError as error:  # a null character in the name
        raise InputError(f"{name!r}: cannot be read: {error}") from error


def reason(error: BaseException) -> str:
    """Return why FFmpeg or the system refused, without its numbers, calls and file names."""
    text = getattr(error, "strerror", None)
    if not text:
        return type(error).__name__
    if "patches welcome" in text:
        return "FFmpeg cannot do this"
    return str(text)


@dataclass(frozen=True)
class Streams:
    """The streams of a file that are worked with.

    Attributes
    ----------
    video : av.VideoStream
        The picture: neither a cover nor a preview, and with a decoder.
    audio : tuple of av.AudioStream
        All sounds whose codec is known.
    unknown_sounds : int
        Sounds without a known codec, which are left out.
    """

    video: Any
    audio: tuple[Any, ...]
    unknown_sounds: int

    @property
    def all(self) -> tuple[Any, ...]:
        """Picture and sounds."""
        return (self.video, *self.audio)


def choose_streams(container: Any, name: PathLike) -> Streams:
    """Find picture and sound.

    Raises
    ------
    InputError
        If there is no picture, or only one that illustrates the sound (an MP3's cover).
    """
    videos = [stream for stream in container.streams.video if stream.codec_context is not None]
    moving = [stream for stream in videos if not stream.disposition.value & _PICTURE_ONLY]
    sounds = container.streams.audio
    if not moving:
        if not container.streams.video:
            raise InputError(f"{name}: expected a video, found no pictures in it")
        if videos and sounds:
            raise InputError(f"{name}: expected a video, found sound with a cover picture")
        if not videos:
            raise InputError(f"{name}: expected a video, its pictures have no known codec")
        moving = videos
    # A picture stored as a stream of one frame beside the film is a cover without the mark.
    best = max(
        moving,
        key=lambda s: (s.frames != 1, bool(s.disposition.value & _DEFAULT), -s.index),
    )
    known = tuple(stream for stream in sounds if stream.codec_context is not None)
    return Streams(best, known, len(sounds) - len(known))


def packets_of(container: Any, streams: tuple[Any, ...], name: PathLike) -> Iterator[Any]:
    """Yield the packets of streams in the file's order; None where one could not be read.

    FFmpeg is asked on after an error, which often concerns one packet alone.
    """
    errors = 0
    while True:
        demux = container.demux(*streams)
        try:
            for packet in demux:
                # Empty packets within a file say 'as before' (AVI); decoders take them for the end.
                if packet.size:
                    yield packet
            return
        except (av.error.FFmpegError, OSError) as error:
            logger.debug("%s: %s", name, error)
            errors += 1
            yield None
            if errors >= _MOST_READ_ERRORS or isinstance(error, (av.error.ExitError, TimeoutError)):
                return
