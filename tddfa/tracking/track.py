"""A face that is followed through a video."""

from dataclasses import dataclass, field

import numpy as np

from tddfa.params import FloatArray
from tddfa.pose import HeadPose, head_pose
from tddfa.tracking.face_finder import face_boxes_of

# How fast the velocity follows the motion, and how fast it dies where the face is not seen.
_VELOCITY_GAIN, _VELOCITY_DECAY = 0.5, 0.93


@dataclass(frozen=True)
class TrackedFace:
    """One face in one frame.

    Attributes
    ----------
    track_id : int
        The same in all frames of a track, never used again; from 1 up.
    score : float
        How sure it is that there is a face, in [0, 1].
    roi_box : list of float
        ``[xmin, ymin, xmax, ymax]`` of the square that the network saw, in pixels.
    param : ndarray, shape (62,), float32
        De-normalized parameters; with `roi_box` what ``recon_vers`` takes.
    landmarks : ndarray, shape (3, 68), float32
        iBUG landmarks in pixels, y down; larger z is nearer.
    confirmed : bool
        False in the first frames, until the face has been seen often enough.
    vertices : ndarray, shape (3, N), float32, or None
        All vertices, where somebody has reconstructed them.
    """

    track_id: int
    score: float
    roi_box: list[float]
    param: FloatArray
    landmarks: FloatArray
    confirmed: bool = True
    vertices: FloatArray | None = None

    @property
    def box(self) -> FloatArray:
        """The face's ``[xmin, ymin, xmax, ymax]`` in pixels, as the detector would draw it."""
        return face_boxes_of(landmark_roi(self.landmarks))[0]

    @property
    def pose(self) -> HeadPose:
        """Yaw, pitch, roll in degrees, and scale."""
        return head_pose(self.param)

    @property
    def size(self) -> float:
        """Side of the square around the landmarks, in pixels."""
        return float(np.ptp(self.landmarks[:2], axis=1).max())


def landmark_roi(landmarks: FloatArray) -> list[float]:
    """Return `tddfa.roi.parse_roi_box_from_landmark` without its checks, NaN where it has NaN."""
    low, high = landmarks[:2].min(axis=1), landmarks[:2].max(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        center, half = (low + high) / 2, max(high - low) / np.sqrt(2)
        return [*(center - half).tolist(), *(center + half).tolist()]


@dataclass
class Track:
    """State of a face between frames.

    Attributes
    ----------
    face : TrackedFace
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
    velocity : ndarray, shape (2,)
        Pixels per frame.
    """

    face: TrackedFace
    roi_box: list[float]
    hits: int = 1
    age: int = 0
    misses: int = 0
    unseen: int = 0
    by_detector: bool = False
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))

    def surprise(self, landmarks: FloatArray) -> float:
        """Return how far landmarks lie from where the motion leads to, in sides of the ROI."""
        ahead = _center(self.roi_box) + (0 if self.misses else self.velocity)
        side = max(self.roi_box[2] - self.roi_box[0], 1.0)
        return float(np.linalg.norm(_center(landmark_roi(landmarks)) - ahead)) / side

    def follow(self, face: TrackedFace, *, sure: bool = True) -> None:
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
