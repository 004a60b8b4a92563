"""One clock for picture and sound that starts at 0 and never leaps.

The time stamps of a file begin anywhere (a broadcast's after 26 hours), start again where parts
were joined, or leap by days::

    file     26 h ..... 26 h + 2 s | 5 s ..... 8 s          two parts with clocks of their own
    here     0 ............... 2 s | 2 s ..... 5 s          the second follows the first

Picture and sound of a part are moved by the same amount: their offset to each other stays true,
even if the packets of the two parts mingle where they meet.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from tddfa.io.atomic import PathLike
from tddfa.video.container import Streams, packets_of

# Seconds that a leap forward exceeds: in broadcasts, whose clock may change at any time, and in
# what else FFmpeg reads. An MP4 holds gaps of 2^31 units of its clock, which is hours.
BROADCAST_LEAP, LEAP = 10.0, 3600.0
_BROADCASTS = frozenset({"mpegts", "mpeg", "hls"})
# Seconds that time stamps may run back without being a new clock: muxers are that untidy.
_UNTIDY = 0.1
# Seconds by which a stream's new part may begin before its old one ends.
_OVERLAP = 2.0
# Sound may begin that early: the samples before 0 only set the decoder going.
_PRIMING = 1.0
_PARTS = 16


@dataclass
class _Place:
    """Where a stream is: its part, the last packet's start and the end of all, in seconds."""

    part: int
    last: float
    end: float


class Clock:
    """Moves time stamps, packet by packet in the file's order.

    Parameters
    ----------
    start : float
        Seconds on the file's clock that become 0.
    leap : float
        Seconds beyond which a gap counts as a leap.
    end : float, optional
        Seconds on the file's clock at which it says to end: time stamps beyond are not believed.

    Attributes
    ----------
    leap : float
        The same.
    leaps : int
        How often the clock was set so far.
    """

    def __init__(self, start: float, leap: float = LEAP, end: float = math.inf) -> None:
        self.leaps = 0
        self.leap, self._end = leap, end
        self._first = 0  # number of the oldest part still known
        self._moves: deque[float] = deque([-start], _PARTS)
        self._places: dict[int, _Place] = {}

    def move(self, stream: int, time: float | None, duration: float) -> float:
        """Return the seconds to add to a packet's time stamps.

        Parameters
        ----------
        stream : int
            The packet's stream.
        time : float, optional
            When it is decoded, in seconds. A packet that does not say goes with the one before.
        duration : float
            How long it lasts, in seconds.
        """
        front = max((place.end for place in self._places.values()), default=0.0)
        place = self._places.get(stream)
        if time is None:
            return self._moves[(self._newest if place is None else place.part) - self._first]
        if place is None:
            # The first packet of frames shown in another order is decoded any time before.
            place = _Place(self._newest, -math.inf, front)
        part, mapped = self._part_for(time, place, front)
        end = mapped + duration
        if part == place.part:
            end = max(end, place.end)
        self._places[stream] = _Place(part, mapped, end)
        return mapped - time

    def _part_for(self, time: float, place: _Place, front: float) -> tuple[int, float]:
        """Return the part that a time belongs to, and what it is there; a new one if need be."""
        believed = time <= self._end + BROADCAST_LEAP
        latest = max(place.end, front) + (self.leap if believed else BROADCAST_LEAP)
        known = range(self._first, self._newest + 1)
        current = max(place.part, self._first)
        for part in (*range(current, self._newest + 1), *reversed(known[: current - self._first])):
            mapped = time + self._moves[part - self._first]
            if part == current:
                fits = place.last - _UNTIDY <= mapped <= latest
            elif part > current:
                fits = place.end - _OVERLAP <= mapped <= latest
            else:  # one wrong time stamp made the part that came after
                fits = abs(mapped - place.end) <= _OVERLAP
            if fits:
                return part, mapped
        if len(self._moves) == _PARTS:
            self._first += 1
        self._moves.append(front - time)
        self.leaps += 1
        return self._newest, front

    @property
    def _newest(self) -> int:
        return self._first + len(self._moves) - 1


def start_of(container: Any, streams: Streams) -> float:
    """Return the seconds on a file's clock at which it starts playing."""
    starts = []
    for stream in streams.all:
        if stream.start_time is None or stream.time_base is None:
            continue
        start = float(stream.start_time * stream.time_base)
        if stream.type == "audio" and -_PRIMING < start < 0:
            start = 0.0
        starts.append(start)
    return min(starts, default=0.0)


def clocked_packets(
    container: Any, streams: Streams, name: PathLike, clock: Clock
) -> Iterator[Any | None]:
    """Yield the packets of picture and sound with their time stamps moved; None for an error.

    Whoever opens the same file again gets the same times.
    """
    steps = {stream.index: _usual_step(stream) for stream in streams.all}
    for packet in packets_of(container, streams.all, name):
        if packet is None:
            yield None
            continue
        unit, index = packet.time_base, packet.stream_index
        if unit:
            # Not the pts: frames that are shown late are decoded early.
            decoded = None if packet.dts is None else float(packet.dts * unit)
            duration = float(packet.duration * unit) if packet.duration else steps[index]
            ticks = round(Fraction(clock.move(index, decoded, duration)) / unit)
            if ticks:
                if packet.pts is not None:
                    packet.pts += ticks
                if packet.dts is not None:
                    packet.dts += ticks
        yield packet


def clock_for(container: Any, streams: Streams) -> Clock:
    """Return the clock of a file that has just been opened."""
    broadcast = bool(_BROADCASTS & set(container.format.name.split(",")))
    start = start_of(container, streams)
    length = (container.duration or 0) / av.time_base
    end = start + length if length > 0 else math.inf
    return Clock(start, BROADCAST_LEAP if broadcast else LEAP, end)


def _usual_step(stream: Any) -> float:
    if stream.type == "video":
        rate = stream.average_rate or stream.guessed_rate or 25
        return float(1 / rate) if 1 <= rate <= 1000 else 0.04
    return 0.02
