import csv
import math

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.records import RecordLayout, open_records
from tddfa.records.livelink import COLUMNS, head_angles, timecode

LAYOUT = RecordLayout(rate=25, blendshapes=True)


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("seconds", "rate", "text"),
    [
        (0, 25, "00:00:00:00.000"),
        (0.04, 25, "00:00:00:01.000"),
        (0.05, 25, "00:00:00:01.250"),
        (59.9999999, 25, "00:01:00:00.000"),
        (3600, 30000 / 1001, "01:00:00:00.000"),
        (100 * 3600, 60, "100:00:00:00.000"),
        (0.5, 0.2, "00:00:00:00.500"),
    ],
)
def test_timecode(seconds, rate, text):
    assert timecode(seconds, rate) == text


def test_columns_are_the_apps():
    assert len(COLUMNS) == 61 and len(set(COLUMNS)) == 61
    assert COLUMNS[:2] == ("EyeBlinkLeft", "EyeLookDownLeft")
    assert COLUMNS[51:56] == ("TongueOut", "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw")


def test_the_face_seen_longest(tmp_path, frames, face, caplog):
    path = tmp_path / "take.csv"
    with open_records(path, LAYOUT, "livelink") as records:
        for frame in frames:
            records.add(frame)
    rows = rows_of(path)
    assert [row["Timecode"] for row in rows] == ["00:00:00:01.000", "00:00:00:02.000"]
    one = face(1)
    for row in rows:
        assert row["BlendshapeCount"] == "61"
        np.testing.assert_allclose(
            [float(row[c]) for c in COLUMNS[:52]], one.blendshapes, atol=1e-6
        )
        assert float(row["HeadYaw"]) == pytest.approx(math.radians(one.pose.yaw), abs=1e-5)
        assert float(row["RightEyeRoll"]) == 0
    assert "number 1, seen in 2 frames; left out: 1" in caplog.text


def test_no_face(tmp_path):
    path = tmp_path / "take.csv"
    with open_records(path, LAYOUT, "livelink") as records:
        records.add(Frame(0, 0.0, np.zeros((2, 2, 3), np.uint8)))
    assert rows_of(path) == []


def test_needs_blendshapes(tmp_path):
    with (
        pytest.raises(InputError, match="blendshapes"),
        open_records(tmp_path / "a.csv", RecordLayout(), "livelink"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_signs_of_the_head(face, turned):
    yaw, pitch, roll = (head_angles(turned(**{name: 20})) for name in ("yaw", "pitch", "roll"))
    # Towards the picture's left is the head's own right; our positive pitch lowers the face.
    assert yaw == pytest.approx((math.radians(20), 0, 0), abs=1e-6)
    assert pitch == pytest.approx((0, -math.radians(20), 0), abs=1e-6)
    assert roll == pytest.approx((0, 0, math.radians(20)), abs=1e-6)
