"""What a tracker knows of a face between two frames."""

from dataclasses import dataclass, field

import numpy as np

from tddfa.face import Face
from tddfa.face_box import landmark_roi
from tddfa.params import FloatArray

# How fast the velocity follows the motion, and how fast it dies where the face is not seen.
_VELOCITY_GAIN, _VELOCITY_DECAY = 0.5, 0.93


@dataclass
class Track:
    """State of a face between frames.

    Attributes
    ----------
    face : Face
        Its last good observation.
    roi_box : list of float
        Where to look for it next, pixels.
    hits : int
        Confirmations so far.
    age : int
        Frames since the track began.
    misses : int
        Frames since the face was last seen; 0 while it is followed.
    unseen : int
        Frames in which it was followed on its own word, since a check or detection agreed.
    by_detector : bool
        Whether it was the full detector that agreed last, after the cheap check had failed.
    checked_score : float
        What the last check said.
    unchecked : int
        Frames since then.
    velocity : ndarray, shape (2,)
        Pixels per frame.
    """

    face: Face
    roi_box: list[float]
    hits: int = 1
    age: int = 0
    misses: int = 0
    unseen: int = 0
    by_detector: bool = False
    checked_score: float = 0.0
    unchecked: int = 0
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))

    def surprise(self, landmarks: FloatArray) -> float:
        """Return how far landmarks lie from where the motion leads to, in sides of the ROI."""
        ahead = _center(self.roi_box) + (0 if self.misses else self.velocity)
        side = max(self.roi_box[2] - self.roi_box[0], 1.0)
        return float(np.linalg.norm(_center(landmark_roi(landmarks)) - ahead)) / side

    def follow(self, face: Face, *, sure: bool = True) -> None:
        """Take over a new observation; one that is not `sure` leaves the velocity as it is."""
        roi = landmark_roi(face.landmarks)
        # A face that comes back has an unknown motion.
        if sure and not self.misses:
            step = _center(roi) - _center(self.roi_box)
            self.velocity = self.velocity + np.float32(_VELOCITY_GAIN) * (step - self.velocity)
        self.face, self.roi_box, self.misses = face, roi, 0

    def miss(self) -> None:
        """Let the place to look at drift on for a frame without the face."""
        self.misses += 1
        self.roi_box = (np.asarray(self.roi_box) + np.tile(self.velocity, 2)).tolist()
        self.velocity = self.velocity * np.float32(_VELOCITY_DECAY)


def _center(roi_box: list[float]) -> FloatArray:
    left, top, right, bottom = roi_box
    return np.array([(left + right) / 2, (top + bottom) / 2], np.float32)
