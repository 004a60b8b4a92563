"""One face of one frame as plain values: what every format writes, in its own way."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tddfa import arkit52
from tddfa.face import Face
from tddfa.frame import Frame

# Columns besides the parameters and landmarks.
SCALARS = ("frame", "time", "id", "score")
BOX = ("xmin", "ymin", "xmax", "ymax")
ANGLES = ("yaw", "pitch", "roll")


@dataclass(frozen=True)
class RecordLayout:
    """What a format has to know before the first face.

    Attributes
    ----------
    n_params : int
        Numbers in a parameter vector.
    rate : float
        Frames per second, nominally.
    blendshapes : bool
        Whether faces have the coefficients of ARKit's 52 blendshapes.
    """

    n_params: int = 62
    rate: float = 25.0
    blendshapes: bool = False


class RecordWriter(Protocol):
    """Takes the faces of successive frames."""

    def add(self, frame: Frame) -> None:
        """Append a record for each face of the frame."""

    def close(self) -> None:
        """Write what is kept back; the file itself stays open."""


def face_values(frame: Frame, face: Face, blendshapes: bool = False) -> dict[str, Any]:
    """Return one record.

    Pixels are those of the upright picture on square pixels (`Frame.image`), y down; angles are
    degrees; ``param`` with ``roi_box`` is what ``recon_vers`` takes; landmarks are (68, 3),
    ``blendshapes``, if asked for, (52,) in the order of `tddfa.arkit52`.
    """
    pose = face.pose
    more = {"blendshapes": blendshapes_of(face)} if blendshapes else {}
    return more | {
        "frame": frame.index,
        "time": frame.time,
        "id": face.track_id,
        "score": face.score,
        "box": face.box.astype(np.float32),
        "roi_box": np.asarray(face.roi_box, np.float32),
        "param": face.param,
        "angles": np.array([pose.yaw, pose.pitch, pose.roll], np.float32),
        "landmarks": np.ascontiguousarray(face.landmarks.T),
    }


def short_numbers(values: npt.ArrayLike) -> list[float]:
    """Return numbers as text formats write them.

    Seven digits tell apart all float32 numbers that matter here, in half the space of 17.
    """
    return [float(f"{value:.7g}") for value in np.asarray(values).tolist()]


def blendshapes_of(face: Face) -> npt.NDArray[np.float32]:
    """Return a face's 52 coefficients, zeros if nobody asked for them."""
    if face.blendshapes is None:
        return np.zeros(len(arkit52.NAMES), np.float32)
    return face.blendshapes
