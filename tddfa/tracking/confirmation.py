"""Hand out a track's first frames once it has been confirmed, and never those of a false alarm.

A tracker knows only after some frames that a detection was a face. A film has the time to wait for
that; where every millisecond counts, take the confirmed faces and leave the others out.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tddfa.frame import Frame

# An unconfirmed face in the last frame of a shot or film counts from this score on: nothing more
# will be heard of it.
SURE = 0.8


def keep_confirmed(frames: Iterable[Frame], wait: int = 3) -> Iterator[Frame]:
    """Delay frames and drop the faces that were not confirmed meanwhile.

    Parameters
    ----------
    frames : iterable of Frame
        What a tracker has found.
    wait : int
        Frames of delay. 0 drops unconfirmed faces at once.

    Yields
    ------
    Frame
        As many as came in.
    """
    waiting: deque[Frame] = deque()
    confirmed: set[int | None] = set()
    last: Frame | None = None
    for frame in frames:
        if frame.cut and last is not None:
            confirmed |= _sure(last)
        known = {face.track_id for face in frame.faces if face.confirmed}
        confirmed |= known
        waiting.append(frame)
        last = frame
        if len(waiting) > wait:
            yield _only(waiting.popleft(), confirmed)
            confirmed &= {face.track_id for item in waiting for face in item.faces} | known
    if last is not None and wait:
        confirmed |= _sure(last)
    while waiting:
        yield _only(waiting.popleft(), confirmed)


def _sure(frame: Frame) -> set[int | None]:
    return {face.track_id for face in frame.faces if face.score >= SURE}


def _only(frame: Frame, confirmed: set[int | None]) -> Frame:
    faces = [replace(f, confirmed=True) for f in frame.faces if f.track_id in confirmed]
    return replace(frame, faces=faces)
