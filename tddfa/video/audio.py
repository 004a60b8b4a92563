"""Take the sound of a video over into another file: packet by packet, or encoded anew."""

import io
import logging
from typing import Any, Protocol

import av

from tddfa.io.atomic import PathLike
from tddfa.video.audio_encoder import AacEncoder
from tddfa.video.clock import clock_for, clocked_packets
from tddfa.video.container import choose_streams, open_container, reason

logger = logging.getLogger(__name__)

# What MP4 holds and players play; everything else is encoded anew, as AAC.
COPIED = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "flac", "opus", "libopus"})
# What a QuickTime file does not hold of these.
_NOT_IN_MOV = frozenset({"eac3", "flac", "opus", "libopus"})
# The muxer looks into every packet of these, and would not take one that is made up.
_LOOKED_INTO = frozenset({"ac3", "eac3"})
# Seconds by which sound may lie behind the picture in a file.
_LAG = 5.0
_END: Any = object()


class _Track(Protocol):
    """One sound on its way."""

    def add(self, packet: Any) -> None:
        """Take the next packet, its times moved."""

    def write(self, until: float | None) -> None:
        """Write what lies before `until` seconds, None for all that there is."""

    def finish(self, until: float | None) -> None:
        """Write the last of it."""


class AudioCopy:
    """Sound of one file on its way into another.

    The source is opened a second time and read in step with the pictures, by the same clock, so
    that nothing piles up in memory.

    Parameters
    ----------
    source : path-like
        File or URL with or without sound.
    output : OutputContainer
        Nothing may have been written into it.
    start : float
        What lies before this time, in seconds, is left out, and the rest moved to the front by it;
        `shift` says whether.
    shift : bool
        False leaves times as they are.
    """

    def __init__(
        self, source: PathLike, output: Any, start: float = 0.0, shift: bool = False
    ) -> None:
        self.source = source
        self._start = start if shift else 0.0
        self._tracks: dict[int, _Track] = {}
        self._reached: dict[int, float] = {}
        self.container = open_container(source)
        try:
            streams = choose_streams(self.container, source)
            for stream in streams.audio:
                self._add(stream, output)
            if streams.unknown_sounds:
                count = "a sound" if streams.unknown_sounds == 1 else "sounds"
                logger.warning("%s: %s of unknown codec cannot be kept", source, count)
        except BaseException:
            self.container.close()
            raise
        clock = clock_for(self.container, streams)
        self._packets = clocked_packets(self.container, streams, source, clock)

    def _add(self, stream: Any, output: Any) -> None:
        name = stream.codec_context.name
        copied = COPIED - _NOT_IN_MOV if output.format.name == "mov" else COPIED
        try:
            track: _Track
            usual = name in copied and stream.codec_context.sample_rate
            if usual and _fits(stream, output.format.name):
                track = _Copied(stream, output, self._start)
            else:
                track = AacEncoder(stream, output, self._start)
        except (av.error.FFmpegError, ValueError, OSError) as error:
            logger.warning(
                "%s: its sound (%s) cannot be kept: %s", self.source, name, reason(error)
            )
            return
        self._tracks[stream.index], self._reached[stream.index] = track, -1.0

    def pump(self, until: float | None) -> None:
        """Write the sound before `until` (seconds on the source's clock), None for all."""
        self._read(until)
        for track in self._tracks.values():
            track.write(self._moved(until))

    def finish(self, until: float | None) -> None:
        """Write the rest of the sound before `until`, None for all, and close the source."""
        try:
            self._read(until)
            for track in self._tracks.values():
                track.finish(self._moved(until))
        finally:
            self.close()

    def _moved(self, until: float | None) -> float | None:
        return None if until is None else until - self._start

    def _read(self, until: float | None) -> None:
        while self._tracks and (until is None or min(self._reached.values()) < until):
            packet = next(self._packets, _END)
            if packet is _END:
                return
            if packet is None or packet.pts is None:
                continue
            index, time = packet.stream_index, float(packet.pts * packet.time_base)
            if index in self._tracks:
                self._reached[index] = max(self._reached[index], time)
                self._tracks[index].add(packet)
            elif until is not None and time > until + _LAG:
                return

    def close(self) -> None:
        """Close the source."""
        self.container.close()


def _fits(stream: Any, form: str) -> bool:
    """Tell whether a sound can be copied into a container, its head not damaged.

    A muxer looks at some codecs' heads at its very end only, when the pictures are lost with it.
    """
    if stream.codec_context.name in _LOOKED_INTO:
        return True
    try:
        with av.open(io.BytesIO(), "w", format=form) as trial:
            target = trial.add_stream_from_template(stream)
            packet = av.Packet(bytes(64))
            packet.pts = packet.dts = 0
            packet.time_base, packet.stream = stream.time_base, target
            trial.mux(packet)
    except (av.error.FFmpegError, ValueError) as error:
        logger.debug("sound: %s", error)
        return False
    return True


class _Copied:
    """Packets as they are."""

    def __init__(self, stream: Any, output: Any, start: float) -> None:
        self._output = output
        self._target = output.add_stream_from_template(stream)
        self._start = start
        self._waiting: list[Any] = []
        self._last: int | None = None

    def add(self, packet: Any) -> None:
        unit = packet.time_base
        if self._start and float(packet.pts * unit) < self._start:
            return
        move = round(self._start / unit)
        packet.pts -= move
        packet.dts = packet.pts if packet.dts is None else packet.dts - move
        # A muxer takes no time twice: where two parts of a file overlap, the first one is heard.
        if self._last is not None and packet.dts <= self._last:
            return
        self._last = packet.dts
        self._waiting.append(packet)

    def write(self, until: float | None) -> None:
        kept = []
        for packet in self._waiting:
            if until is not None and float(packet.pts * packet.time_base) >= until:
                kept.append(packet)
                continue
            packet.stream = self._target
            try:
                self._output.mux(packet)
            except (av.error.InvalidDataError, ValueError) as error:
                logger.debug("sound: %s", error)  # a damaged packet; a full disk is another error
        self._waiting = kept

    def finish(self, until: float | None) -> None:
        self.write(until)
