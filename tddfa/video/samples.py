"""Sound as a queue of samples, and channels without names."""

from collections import deque
from typing import Any

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

# How FFmpeg calls a layout of which only the number of channels is known ("3 channels").
_UNNAMED = "channels"


class SampleQueue:
    """Samples that wait, in order; long silence takes no memory.

    Parameters
    ----------
    channels : int

    Attributes
    ----------
    count : int
        Samples that wait.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.count = 0
        self._pieces: deque[Samples | int] = deque()

    def push(self, piece: Samples | int) -> None:
        """Append samples (channels, n), or a number of silent ones."""
        length = piece if isinstance(piece, int) else piece.shape[1]
        if length > 0:
            self._pieces.append(piece)
            self.count += length

    def take(self, count: int) -> Samples:
        """Remove the first samples and return them, fewer if there are no more."""
        out = np.zeros((self.channels, min(count, self.count)), np.float32)
        at = 0
        while at < out.shape[1]:
            piece = self._pieces.popleft()
            length = piece if isinstance(piece, int) else piece.shape[1]
            used = min(length, out.shape[1] - at)
            if not isinstance(piece, int):
                out[:, at : at + used] = piece[:, :used]
            if used < length:
                rest = piece - used if isinstance(piece, int) else piece[:, used:]
                self._pieces.appendleft(rest)
            at += used
        self.count -= out.shape[1]
        return out

    def drop(self, count: int) -> None:
        """Remove the first samples."""
        self._drop(count, self._pieces.popleft, self._pieces.appendleft, slice(None))

    def drop_last(self, count: int) -> None:
        """Remove the last samples."""
        self._drop(count, self._pieces.pop, self._pieces.append, slice(None, None, -1))

    def _drop(self, count: int, pop: Any, push: Any, direction: slice) -> None:
        count = min(count, self.count)
        self.count -= count
        while count > 0:
            piece = pop()
            length = piece if isinstance(piece, int) else piece.shape[1]
            if length > count:
                if isinstance(piece, int):
                    push(length - count)
                else:
                    push(piece[:, direction][:, count:][:, direction])
            count -= length


def nearest_rate(rate: int) -> int:
    """Return the sample rate nearest to `rate` that the AAC encoder has."""
    rates = av.Codec("aac", "w").audio_rates or [48_000]
    return int(min(rates, key=lambda known: abs(known - rate)))


def named(frame: Any) -> Any:
    """Return a frame whose channels have names, which swresample needs to mix them.

    Of channels without names one is the middle; of several every other goes to the left, the
    others to the right.
    """
    if _UNNAMED not in frame.layout.name:
        return frame
    samples = frame.to_ndarray()
    count = len(frame.layout.channels) or frame.layout.nb_channels
    if not frame.format.is_planar:
        samples = samples.reshape(-1, count).T
    if count > 2:
        pair = [samples[side::2].mean(axis=0) for side in (0, 1)]
        samples = np.stack(pair).astype(samples.dtype)
    name = frame.format.name
    renamed = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples),
        name if frame.format.is_planar else f"{name}p",
        "mono" if count == 1 else "stereo",
    )
    renamed.sample_rate = frame.sample_rate
    return renamed
