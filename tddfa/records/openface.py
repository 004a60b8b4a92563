"""Records with the column names of OpenFace's output: head pose and landmarks.

Source: OpenFace's wiki, "Output Format" (Baltrušaitis et al., FG 2018).
"""

from typing import IO

import numpy as np

from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.params import FloatArray
from tddfa.records.text import CsvLines
from tddfa.records.values import RecordLayout, short_numbers

# From our axes (x right, y up, z to the viewer) to a camera's (x right, y down, z away from it).
_TO_CAMERA = np.array([1.0, -1.0, -1.0])
_CROP = 120.0
POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")


def camera_pose(face: Face, width: int, height: int) -> FloatArray:
    """Return the head's place and orientation before a camera, as OpenFace has them.

    The camera sees as OpenFace's does where none is given: focal length 500·(w/640 + h/480)/2
    pixels, centered. Distance follows from the face's size, for the aligner's own camera has none.

    Parameters
    ----------
    face : Face
        Of a face model in millimeters, as the one that ships.
    width, height : int
        Of the picture in pixels.

    Returns
    -------
    ndarray, shape (6,), float64
        Tx, Ty, Tz in millimeters (x right, y down, z away from the camera) of the face model's
        origin; Rx, Ry, Rz in radians, R = Rx·Ry·Rz: positive Rx lowers the face, positive Ry
        turns it towards the picture's left, positive Rz turns the picture's right side down.
    """
    pose, roi = face.pose, face.roi_box
    pixel = (roi[2] - roi[0]) / _CROP  # picture's pixels in a pixel of the crop
    x = (pose.translation[0] - 1) * pixel + roi[0]
    y = (_CROP - pose.translation[1]) * (roi[3] - roi[1]) / _CROP + roi[1]
    per_mm = max(pose.scale * pixel, 1e-9)
    focal = 500 * (width / 640 + height / 480) / 2
    place = [(x - width / 2) / per_mm, (y - height / 2) / per_mm, focal / per_mm]
    r = _TO_CAMERA[:, None] * pose.rotation.astype(float) * _TO_CAMERA
    angles = [
        np.arctan2(-r[1, 2], r[2, 2]),
        np.arcsin(np.clip(r[0, 2], -1, 1)),
        np.arctan2(-r[0, 1], r[0, 0]),
    ]
    return np.array([*place, *angles])


class OpenFaceRecords:
    """Frame, face, time, confidence, pose and 68 landmarks in pixels, under OpenFace's names."""

    def __init__(self, file: IO[bytes], layout: RecordLayout) -> None:
        self._lines = CsvLines(file)
        head = ["frame", "face_id", "timestamp", "confidence", "success", *POSE]
        self._lines.write([*head, *(f"{axis}_{n}" for axis in "xy" for n in range(68))])

    def add(self, frame: Frame) -> None:
        """Append a row for each face of the frame; OpenFace counts frames from 1."""
        height, width = frame.image.shape[:2]
        for face in frame.faces:
            numbers = [*camera_pose(face, width, height), *face.landmarks[:2].ravel()]
            head = [frame.index + 1, (face.track_id or 1) - 1, *short_numbers([frame.time])]
            self._lines.write([*head, *short_numbers([face.score]), 1, *short_numbers(numbers)])

    def close(self) -> None:
        """Do nothing: every row is written when it is added."""
