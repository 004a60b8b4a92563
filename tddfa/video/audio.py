"""Take the sound of a video over into another file, packet by packet."""

import logging
from pathlib import Path
from typing import Any

import av

from tddfa.video.reader import open_container

logger = logging.getLogger(__name__)

# What MP4 and MOV hold and players play; everything else is encoded anew, as AAC.
COPIED = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "flac", "opus", "libopus"})


class AudioCopy:
    """Sound of one file on its way into another.

    The source is opened a second time and read in step with the pictures, so that nothing piles
    up in memory.

    Parameters
    ----------
    source : Path
        File with or without sound.
    output : OutputContainer
        Nothing may have been written into it.
    start : float
        Packets before this time, in seconds, are left out and the others moved to the front by it;
        `shift` says whether.
    shift : bool
        False leaves times as they are.
    """

    def __init__(self, source: Path, output: Any, start: float = 0.0, shift: bool = False) -> None:
        self.output = output
        self.start = start
        self.shift = shift
        self.packets = 0
        self.container = open_container(source)
        self._streams: dict[int, Any] = {}
        self._resamplers: dict[int, Any] = {}
        for stream in self.container.streams.audio:
            target = self._add(stream)
            if target is not None:
                self._streams[stream.index] = target
        self._ahead: Any = None
        chosen = [self.container.streams[index] for index in self._streams]
        self._demux = self.container.demux(*chosen) if chosen else iter(())

    def _add(self, stream: Any) -> Any:
        name = stream.codec_context.name
        try:
            if name in COPIED:
                return self.output.add_stream_from_template(stream)
            layout = "mono" if stream.codec_context.channels == 1 else "stereo"
            rate = stream.codec_context.sample_rate
            target = self.output.add_stream("aac", rate=rate, layout=layout)
            self._resamplers[stream.index] = av.AudioResampler("fltp", layout, rate)
            return target
        except (av.error.FFmpegError, ValueError, OSError) as error:
            logger.warning("the sound (%s) cannot be kept: %s", name, error)
            return None

    def pump(self, until: float | None) -> None:
        """Write the packets before `until` (seconds on the source's clock), None for all."""
        while True:
            packet = self._ahead or self._next()
            self._ahead = None
            if packet is None:
                return
            time = float(packet.pts * packet.time_base)
            if until is not None and time >= until:
                self._ahead = packet
                return
            if self.shift and time < self.start:
                continue
            self._write(packet)

    def _next(self) -> Any:
        while True:
            try:
                packet = next(self._demux)
            except (StopIteration, av.error.FFmpegError, OSError):
                return None
            if packet.pts is not None and packet.dts is not None and packet.size:
                return packet

    def _write(self, packet: Any) -> None:
        index = packet.stream.index
        target, move = self._streams[index], 0
        if self.shift:
            move = round(self.start / packet.time_base)
        self.packets += 1
        if index not in self._resamplers:
            packet.pts -= move
            packet.dts -= move
            packet.stream = target
            self.output.mux(packet)
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            return
        for frame in frames:
            if frame.pts is not None:
                frame.pts -= move
            for piece in self._resamplers[index].resample(frame):
                self.output.mux(target.encode(piece))

    def close(self) -> None:
        """Flush what is encoded anew and close the source."""
        for index in self._resamplers:
            if index in self._streams and self.packets:
                self.output.mux(self._streams[index].encode(None))
        self.container.close()
