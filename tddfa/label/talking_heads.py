"""A video for each track, steadily around the face, with its sound: for talking-head data sets.

Source: the cropping of SyncNet's pipeline (Chung, Zisserman, "Out of time", 2016), by which LRS2,
LRS3 and VoxCeleb were made: over a track, middle and size of the box pass a median filter of 13
frames; the square reaches 1.4 half sides to each side, one up and 1.8 down::

          s = half the box's longer side
     .---------------.   \
     |    .-----.    |    |  s
     |    |     |    |    |
     |    |  +  |    |   -+- the box's middle
     |    |     |    |    |
     |    '-----'    |    |  1.8 s
     |               |    |
     '---------------'   /
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import medfilt

from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.label.crop_geometry import Quad, cut_out
from tddfa.label.schema import Row
from tddfa.picture import ImageArray
from tddfa.video.open_film import open_film
from tddfa.video.writer import VideoWriter

_KERNEL = 13  # frames
_MARGIN = 0.4
# What lies beyond the picture.
_GRAY = 110


def steady_squares(boxes: Mapping[int, npt.ArrayLike]) -> dict[int, Quad]:
    """Return a track's square in each frame from its first to its last.

    Frames in which the face was not seen have what lies between the frames around them.

    Parameters
    ----------
    boxes : mapping of frame to (4,)
        ``[xmin, ymin, xmax, ymax]`` in pixels.

    Examples
    --------
    >>> squares = steady_squares({frame: [10, 10, 30, 30] for frame in range(3)})
    >>> squares[1].corners[[0, 2]].tolist()
    [[6.0, 10.0], [34.0, 38.0]]
    """
    if not boxes:
        return {}
    seen = sorted(boxes)
    frames = np.arange(seen[0], seen[-1] + 1)
    corners = np.array([np.asarray(boxes[frame], float)[:4] for frame in seen])
    sides = (corners[:, 2:] - corners[:, :2]).max(axis=1) / 2
    measures = np.c_[(corners[:, :2] + corners[:, 2:]) / 2, sides].T
    x, y, half = (_median(np.interp(frames, seen, values)) for values in measures)
    reach = half * (1 + _MARGIN)
    middle = np.stack([x, y + half * _MARGIN], axis=1)
    square = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1.0]])
    return {int(frame): Quad(middle[i] + reach[i] * square) for i, frame in enumerate(frames)}


def _median(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Zeros beyond the ends, as SciPy has them, would pull short tracks to the corner.
    padded = np.pad(values, _KERNEL // 2, mode="edge")
    return np.asarray(medfilt(padded, _KERNEL))[_KERNEL // 2 : -(_KERNEL // 2)]


class TalkingHeads:
    """Videos of one shard's tracks: ``crops/00012/00012_track3.mp4``.

    Parameters
    ----------
    folder : Path
        Of the table.
    shard : int
        Its number.
    size : int
        Side in pixels.
    least : float
        Tracks whose face is smaller than this on average (`Face.size`) are left out.
    """

    columns = ("crop",)

    def __init__(self, folder: Path, shard: int, size: int, least: float = 0.0) -> None:
        self._folder, self._shard = folder, shard
        self._size, self._least = size, least
        self._boxes: dict[int, dict[int, npt.NDArray[np.float32]]] = {}
        self._sizes: dict[int, list[float]] = {}

    def __call__(self, row: Row, image: ImageArray, faces: Sequence[Face]) -> list[Row]:
        """Return the names that the faces' videos will have; pictures have none."""
        return [
            {} if face.track_id is None else {"crop": self._name(face.track_id)} for face in faces
        ]

    def watch(self, frame: Frame) -> None:
        """Remember where the faces of a frame are."""
        for face in frame.faces:
            number = face.track_id or 0
            self._boxes.setdefault(number, {})[frame.index] = face.box
            self._sizes.setdefault(number, []).append(face.size)

    def finish(self, source: str) -> None:
        """Write the videos: the film is decoded once more."""
        squares = {
            number: steady_squares(boxes)
            for number, boxes in self._boxes.items()
            if np.mean(self._sizes[number]) >= self._least
        }
        self._boxes, self._sizes = {}, {}
        if not squares:
            return
        with contextlib.ExitStack() as stack, open_film(source) as reader:
            writers: dict[int, VideoWriter] = {}
            for frame in reader:
                for number, track in squares.items():
                    if frame.index not in track:
                        continue
                    if number not in writers:
                        writers[number] = stack.enter_context(
                            VideoWriter(
                                self._folder / self._name(number),
                                reader.time_base,
                                reader.rate,
                                sound=source if reader.has_sound else None,
                                trimmed=True,
                            )
                        )
                    picture = cut_out(frame.image, track[frame.index], self._size, _GRAY)
                    writers[number].write(picture, frame.pts)
                    if frame.index == max(track):
                        writers[number].close()

    def _name(self, number: int) -> str:
        return f"{self._shard:05d}/{self._shard:05d}_track{number}.mp4"
