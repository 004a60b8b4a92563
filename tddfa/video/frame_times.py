"""When each decoded frame is shown: never twice at the same time, never back."""

import heapq

# A frame that says the time of the one before it comes this part of a frame later, and a row of
# such frames goes on at that pace, until the clock counts as standing still.
_NUDGE = 4
_STANDSTILL = 4
# A frame that lies so many frames before the one shown last has another clock.
_MOST_BEHIND = 25
# Times of packets whose frames never came are dropped beyond so many.
_MOST_WAITING = 64


class FrameTimes:
    """Strictly increasing times for the frames of a stream, in the order in which they are shown.

    ::

        stated   0  0  1  2  3        a time said twice
        here     0  ¼  1  2  3        all within half a frame of what they said

    Parameters
    ----------
    step : int
        Usual distance of two frames.
    leap : int
        Gap that counts as a leap of the clock: the next frame follows at the usual distance.
    by_order : bool
        The stated times number the packets as they are stored, not the frames as they are shown
        (AVI): the next frame shown has the smallest time of those not yet shown.

    Attributes
    ----------
    leaps : int
        How often the clock leapt so far.
    """

    def __init__(self, step: int, leap: int, by_order: bool = False) -> None:
        self.leaps = 0
        self._step, self._leap = max(1, step), leap
        self._shift = 0
        self._by_order = by_order
        self._waiting: list[int] = []
        self._last: int | None = None
        self._repeats = 0

    def expect(self, time: int | None) -> None:
        """Note the time of a packet that goes to the decoder."""
        if self._by_order and time is not None:
            heapq.heappush(self._waiting, time)
            if len(self._waiting) > _MOST_WAITING:
                heapq.heappop(self._waiting)

    def forget(self, time: int | None) -> None:
        """Note that a packet could not be decoded."""
        if time in self._waiting:
            self._waiting.remove(time)
            heapq.heapify(self._waiting)

    def __call__(self, stated: int | None) -> int:
        """Return the time of the next frame, which says `stated` itself."""
        if self._by_order and self._waiting:
            stated = heapq.heappop(self._waiting)
        last = self._last
        if last is None:
            time = stated or 0
        elif stated is None:
            time = last + self._step
        else:
            time = self._after(last, stated + self._shift)
        self._last = time
        return time

    def _after(self, last: int, stated: int) -> int:
        """Return the time of a frame that says `stated`, after one at `last`."""
        if stated > last + self._leap or stated < last - _MOST_BEHIND * self._step:
            self._shift += last + self._step - stated
            self.leaps += 1
            stated = last + self._step
        if stated > last:
            self._repeats = 0
            return stated
        self._repeats += 1
        still = self._repeats >= _STANDSTILL
        return last + (self._step if still else max(1, self._step // _NUDGE))
