"""From frames to frames with faces: the stages that films, cameras and the API share.

::

    track -> confirm -> (dense vertices) -> smooth
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, get_args

from tddfa.aligner import Aligner
from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.tracking.confirmation import keep_confirmed
from tddfa.tracking.live_smoothing import smooth_one_euro
from tddfa.tracking.smoothing import smooth_mean
from tddfa.tracking.tracker import FaceTracker

Smooth = Literal["none", "mean", "one_euro"]


def follow(
    frames: Iterable[Frame],
    tracker: FaceTracker,
    aligner: Aligner,
    *,
    smooth: Smooth = "none",
    n_pre: int = 1,
    n_next: int = 1,
    wait: int = 3,
    dense: bool = False,
) -> Iterator[Frame]:
    """Follow the faces of a video; every stage is lazy.

    Parameters
    ----------
    frames : iterable of Frame
        In order, without faces.
    tracker : FaceTracker
        A fresh one.
    aligner : Aligner
        The tracker's.
    smooth : {'none', 'mean', 'one_euro'}
        See `tddfa.tracking.smoothing` and `tddfa.tracking.live_smoothing`.
    n_pre, n_next : int
        Frames before and after, for 'mean'.
    wait : int
        Frames of delay in which a face can be confirmed, so that its first ones are given out, too.
    dense : bool
        Make all vertices here, in this thread; 'mean' then averages them as they are.

    Raises
    ------
    InputError
        If the smoother is unknown or a number negative.
    """
    if smooth not in get_args(Smooth):
        raise InputError(f"smooth: expected {', '.join(get_args(Smooth))}, got {smooth!r}")
    if wait < 0:
        raise InputError(f"wait: expected 0 or more frames, got {wait}")
    if n_pre < 0 or n_next < 0:
        raise InputError(f"n_pre, n_next: expected 0 or more, got {n_pre} and {n_next}")
    found = keep_confirmed(_tracked(frames, tracker), wait)
    if smooth == "one_euro":
        found = smooth_one_euro(found, aligner)
        return _with_vertices(found) if dense else found
    if dense:  # before the mean, which is taken of the vertices, too
        found = _with_vertices(found)
    return smooth_mean(found, n_pre, n_next, size=aligner.size) if smooth == "mean" else found


def _tracked(frames: Iterable[Frame], tracker: FaceTracker) -> Iterator[Frame]:
    for frame in frames:
        faces = tracker(frame.image)
        yield replace(frame, faces=faces, cut=tracker.cut)


def _with_vertices(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        _ = frame.vertices  # the faces keep them
        yield frame
