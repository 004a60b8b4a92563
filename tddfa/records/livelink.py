"""Records as Epic's app Live Link Face writes them: timecode, 52 coefficients, head and eyes.

One row a frame, for one face. Importers of Unreal, Blender, Maya and MotionBuilder read it.
"""

import logging
import math
import tempfile
from collections import Counter
from typing import IO

import numpy as np

from tddfa import arkit52
from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.records.text import CsvLines
from tddfa.records.values import RecordLayout, blendshapes_of, short_numbers

logger = logging.getLogger(__name__)

HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
EYES = tuple(
    f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll")
)
COLUMNS = (*map(arkit52.capitalized, arkit52.NAMES), *HEAD, *EYES)


def timecode(seconds: float, rate: float) -> str:
    """Return ``HH:MM:SS:FF.mmm``: hours to seconds, frames of a second, thousandths of a frame.

    Examples
    --------
    >>> timecode(3661.5, 30)
    '01:01:01:15.000'
    """
    # A rate that is no whole number counts as many frames as fit a second, as timecode does.
    per_second = max(1, round(rate))
    thousandths = round(seconds * per_second * 1000)
    frames, thousandth = divmod(thousandths, 1000)
    whole, frame = divmod(frames, per_second)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}:{frame:02d}.{thousandth:03d}"


def head_angles(face: Face) -> tuple[float, float, float]:
    """Return yaw, pitch, roll in radians, signs as Unreal's rotators have them.

    Positive yaw turns the head to its own right, positive pitch raises it, positive roll tilts it
    to its own right shoulder.
    """
    pose = face.pose
    return math.radians(pose.yaw), -math.radians(pose.pitch), math.radians(pose.roll)


class LiveLinkRecords:
    """Rows of the face that is seen longest; the angles of the eyes are 0.

    The others' rows are kept in a temporary file until it is known which that is.
    """

    def __init__(self, file: IO[bytes], layout: RecordLayout) -> None:
        if not layout.blendshapes:
            raise InputError(
                "Live Link's records hold blendshapes: expected them to be asked for as well"
            )
        self._file, self._rate = file, layout.rate
        self._rows = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        self._layout = np.dtype(
            [("id", np.int64), ("time", np.float64), ("values", np.float32, (len(COLUMNS),))]
        )
        self._counts: Counter[int] = Counter()

    def add(self, frame: Frame) -> None:
        """Append a row for each face of the frame."""
        for face in frame.faces:
            number = face.track_id or 0
            values = [*blendshapes_of(face), *head_angles(face), *(0.0 for _ in EYES)]
            row = np.array((number, frame.time, values), self._layout)
            self._rows.write(row.tobytes())
            self._counts[number] += 1

    def close(self) -> None:
        """Write the rows of one face."""
        lines = CsvLines(self._file)
        lines.write(["Timecode", "BlendshapeCount", *COLUMNS])
        chosen = max(self._counts, key=lambda number: self._counts[number], default=0)
        self._rows.seek(0)
        while row := self._rows.read(self._layout.itemsize):
            number, time, values = np.frombuffer(row, self._layout)[0].tolist()
            if number == chosen:
                code = timecode(time, self._rate)
                lines.write([code, len(COLUMNS), *short_numbers(np.round(values, 6))])
        self._rows.close()
        if len(self._counts) > 1:
            others = len(self._counts) - 1
            logger.warning(
                "Live Link's records hold one face: number %d, seen in %d frames; left out: %d",
                chosen,
                self._counts[chosen],
                others,
            )
