"""Follow one face through a clip without smoothing, to measure how much its landmarks shake."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.errors import InputError
from tddfa.picture import ImageArray
from tddfa.tracking.shot_change import ShotDetector

FloatArray = npt.NDArray[np.float32]

# The reference takes a face for lost when its ROI is smaller than 2020 square pixels.
LEAST_SIDE = 45.0 / np.sqrt(2.0)


def read_frames(path: Path, limit: int | None = None) -> Iterator[ImageArray]:
    """Yield the BGR frames of a clip."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise InputError(f"'{path}': expected a readable video")
    try:
        count = 0
        while limit is None or count < limit:
            good, frame = capture.read()
            if not good:
                return
            yield np.asarray(frame, np.uint8)
            count += 1
    finally:
        capture.release()


def follow(
    aligner: Aligner,
    frames: Iterator[ImageArray],
    detector: Callable[[ImageArray], FloatArray],
) -> FloatArray:
    """Return the landmarks (frames, 3, 68) of the strongest face of the first frame.

    Each frame is cropped around the landmarks of the one before; the first around the detector's
    box and then around its own landmarks. The track ends at a cut of the clip, beyond which there
    is another picture to follow, and where its landmarks shrink below `LEAST_SIDE`: it has lost its
    face.

    Raises
    ------
    InputError
        If the first frame has no face.
    """
    track: list[FloatArray] = []
    new_shot = ShotDetector()
    for frame in frames:
        if new_shot(frame) and track:
            break
        if not track:
            boxes = detector(frame)
            if not len(boxes):
                raise InputError("clip: expected a face in the first frame")
            track.append(_align(aligner, frame, boxes[0], "box"))
            track[0] = _align(aligner, frame, track[0], "landmark")
        else:
            track.append(_align(aligner, frame, track[-1], "landmark"))
        if np.ptp(track[-1][:2], axis=1).max() < LEAST_SIDE:
            return np.stack(track[:-1] or track)
    return np.stack(track)


def _align(aligner: Aligner, frame: ImageArray, face: FloatArray, policy: str) -> FloatArray:
    return aligner.recon_vers(*aligner(frame, [face], crop_policy=policy))[0]
