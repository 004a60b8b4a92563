"""Encode sound anew, as AAC, to the sample."""

import logging
from fractions import Fraction
from typing import Any

import av

from tddfa.video.samples import SampleQueue, Samples, named, nearest_rate

logger = logging.getLogger(__name__)

# Samples of an AAC frame.
_FRAME = 1024
# Seconds by which a source's time stamps may differ from its count of samples: containers round.
_TOLERANCE = 0.04


class AacEncoder:
    """A sound, decoded and encoded as AAC, mono or stereo, at the encoder's nearest rate.

    Samples are counted, not packets: the sound begins and ends where the source's does, a gap in
    it becomes silence, and what overlaps is cut.

    Parameters
    ----------
    stream : av.AudioStream
        The source.
    output : OutputContainer
        Where the new stream is added.
    start : float
        Seconds at which the output begins.

    Raises
    ------
    ValueError, FFmpegError
        If the encoder does not take it.
    """

    def __init__(self, stream: Any, output: Any, start: float) -> None:
        self._context, self._output, self._start = stream.codec_context, output, start
        self._unit = stream.time_base
        self._rate = nearest_rate(self._context.sample_rate)
        self._layout = "mono" if self._context.channels == 1 else "stereo"
        self._target = output.add_stream("aac", rate=self._rate, layout=self._layout)
        self._resampler: Any = None
        self._kind: tuple[Any, ...] = ()
        self._queue = SampleQueue(1 if self._layout == "mono" else 2)
        # Of the first sample that waits; None before the first one came.
        self._position: int | None = None

    def add(self, packet: Any) -> None:
        """Decode a packet, None for what the decoder holds; a damaged one is silence."""
        try:
            frames = self._context.decode(packet)
        except (av.error.FFmpegError, ValueError) as error:
            logger.debug("sound: %s", error)
            return
        for frame in frames:
            if frame.samples:
                self._take(frame)

    def _take(self, frame: Any) -> None:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:  # at the beginning, or where the sound changes its kind
            self._flush_resampler()
            self._kind = kind
            self._resampler = av.AudioResampler("fltp", self._layout, self._rate)
        if frame.pts is not None:
            time = float(frame.pts * self._unit) - self._start
            self._go_to(round(time * self._rate))
        elif self._position is None:
            self._position = 0
        frame = named(frame)
        frame.pts = None
        for piece in self._resampler.resample(frame):
            self._push(piece.to_ndarray())

    def _go_to(self, position: int) -> None:
        """Let the next samples begin at `position`: silence before them, or an overlap cut."""
        if self._position is None:
            self._position = position
            return
        gap = position - self._position - self._queue.count
        if gap > _TOLERANCE * self._rate:
            self._push(gap)
        elif gap < -_TOLERANCE * self._rate:
            self._queue.drop_last(-gap)

    def _push(self, piece: Samples | int) -> None:
        self._queue.push(piece)
        if self._position is not None and self._position < 0:  # what lies before the beginning
            before = min(-self._position, self._queue.count)
            self._queue.drop(before)
            self._position += before

    def _flush_resampler(self) -> None:
        if self._resampler is not None:
            for piece in self._resampler.resample(None):
                self._push(piece.to_ndarray())
            self._resampler, self._kind = None, ()

    def write(self, until: float | None) -> None:
        """Encode whole frames of the samples before `until` seconds; None for all samples."""
        while self._before(until) >= _FRAME:
            self._encode(self._queue.take(_FRAME))

    def finish(self, until: float | None) -> None:
        """Encode all samples before `until`, and let the encoder end."""
        if until is None:
            self.add(None)
            self._flush_resampler()
        self.write(until)
        rest = self._before(until)
        if rest > 0:
            self._encode(self._queue.take(rest))
        if self._target.codec_context.is_open:
            self._output.mux(self._target.encode(None))

    def _before(self, until: float | None) -> int:
        if until is None or self._position is None:
            return self._queue.count
        return min(self._queue.count, round(until * self._rate) - self._position)

    def _encode(self, samples: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(samples, "fltp", self._layout)
        frame.sample_rate, frame.pts = self._rate, self._position
        frame.time_base = Fraction(1, self._rate)
        self._position = (self._position or 0) + samples.shape[1]
        self._output.mux(self._target.encode(frame))
