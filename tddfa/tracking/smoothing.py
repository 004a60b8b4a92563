"""Smoothing with a look ahead: the mean over neighboring frames, for films.

::

    frames      a a a|B B B B|b b b        n_pre = 1, n_next = 2, B a track's frames
    window of the first B:  B1 B1 B2 B3    padded with copies at both ends of the track,
    window of the last B:   B3 B4 B4 B4    never reaching over a cut or into another face
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.params import FloatArray
from tddfa.tracking.face_state import DoubleArray, FaceState

Faces = dict[int | None, Face]


def smooth_mean(
    frames: Iterable[Frame], n_pre: int = 1, n_next: int = 1, *, size: int = 120
) -> Iterator[Frame]:
    """Replace each face by the mean of the same face in the frames around it.

    Landmarks and vertices are the means of landmarks and vertices, as in the reference; the
    parameters are the means of camera, shape and expression in the frame of the picture, and
    blendshapes those of blendshapes.

    Parameters
    ----------
    frames : iterable of Frame
        With ids that end at a cut.
    n_pre, n_next : int
        Frames before and after. With 0 and 0 the frames come back as they are.
    size : int
        Side of the aligner's input in pixels.

    Yields
    ------
    Frame
        As many as came in, `n_next` frames later.

    Raises
    ------
    InputError
        If a number is negative.
    """
    if n_pre < 0 or n_next < 0:
        raise InputError(f"n_pre, n_next: expected 0 or more, got {n_pre} and {n_next}")
    if not n_pre and not n_next:
        yield from frames
        return
    past: deque[Faces] = deque(maxlen=n_pre)
    waiting: deque[Frame] = deque()
    for frame in frames:
        waiting.append(frame)
        if len(waiting) > n_next:
            yield _smoothed(past, waiting, size, n_pre, n_next)
    while waiting:
        yield _smoothed(past, waiting, size, n_pre, n_next)


def _smoothed(
    past: deque[Faces], waiting: deque[Frame], size: int, n_pre: int, n_next: int
) -> Frame:
    """Smooth and take out the frame that has waited longest."""
    frame = waiting.popleft()
    if frame.cut:
        past.clear()
    following: list[Faces] = []
    for later in waiting:
        if later.cut:
            break
        following.append({face.track_id: face for face in later.faces})
    faces = []
    for face in frame.faces:
        before = _run(face, list(past)[::-1], n_pre)
        after = _run(face, following, n_next)
        faces.append(_mean(face, [*before, face, *after], size))
    past.append({face.track_id: face for face in frame.faces})
    return replace(frame, faces=faces)


def _run(face: Face, neighbors: Sequence[Faces], count: int) -> list[Face]:
    """Return the same face in `count` neighbors, copies of the last one where the track ends."""
    found: list[Face] = []
    for faces in neighbors[:count]:
        if face.track_id not in faces:
            break
        found.append(faces[face.track_id])
    last = found[-1] if found else face
    return found + [last] * (count - len(found))


def _mean(face: Face, window: Sequence[Face], size: int) -> Face:
    states = [FaceState.of(item, size) for item in window]
    state = FaceState(
        linear=_average([item.linear for item in states]),
        offset=_average([item.offset for item in states]),
        shape=_average([item.shape for item in states]),
        expression=_average([item.expression for item in states]),
    )
    dense = [item.dense for item in window if item.dense is not None]
    shapes = [item.blendshapes for item in window if item.blendshapes is not None]
    return replace(
        face,
        param=state.param(face.roi_box, size),
        landmarks=_average([item.landmarks for item in window]).astype(np.float32),
        blendshapes=(
            _average(shapes).astype(np.float32) if len(shapes) == len(window) else face.blendshapes
        ),
        dense=_average(dense).astype(np.float32) if len(dense) == len(window) else None,
    )


def _average(arrays: Sequence[FloatArray] | Sequence[DoubleArray]) -> DoubleArray:
    # In float64 the mean of equal float32 numbers is that number.
    total = arrays[0].astype(np.float64)
    for array in arrays[1:]:
        total += array
    return total / len(arrays)
