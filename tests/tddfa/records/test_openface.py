import csv
import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tddfa.records import RecordLayout, open_records
from tddfa.records.openface import camera_pose


def test_columns(tmp_path, frames, face):
    path = tmp_path / "a.csv"
    with open_records(path, RecordLayout(), "openface") as records:
        for frame in frames:
            records.add(frame)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["frame"], row["face_id"]) for row in rows] == [("2", "0"), ("2", "1"), ("3", "0")]
    assert list(rows[0])[:6] == [
        "frame",
        "face_id",
        "timestamp",
        "confidence",
        "success",
        "pose_Tx",
    ]
    assert list(rows[0])[11:13] == ["x_0", "x_1"] and list(rows[0])[-1] == "y_67"
    np.testing.assert_allclose(float(rows[1]["y_30"]), face(2).landmarks[1, 30], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "angles"),
    [("pitch", (0.5, 0, 0)), ("yaw", (0, 0.5, 0)), ("roll", (0, 0, -0.5))],
)
def test_signs(turned, name, angles):
    pose = camera_pose(turned(**{name: math.degrees(0.5)}), 640, 480)
    np.testing.assert_allclose(pose[3:], angles, atol=1e-6)


def test_angles_make_the_rotation(turned):
    face = turned(yaw=30, pitch=-20, roll=10)
    angles = camera_pose(face, 640, 480)[3:]
    to_camera = np.diag([1.0, -1.0, -1.0])
    expected = to_camera @ face.pose.rotation @ to_camera
    found = Rotation.from_euler("XYZ", angles).as_matrix()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_place(turned):
    # 100 mm of the head take 100 pixels: it is as far away as the focal length has pixels.
    face = turned(scale=1.2, roi=[200, 140, 300, 240], offset=(60.0, 60.0))
    x, y, z = camera_pose(face, 640, 480)[:3]
    assert z == pytest.approx(500, rel=1e-5)
    middle = (60 - 1) / 1.2 + 200 - 320
    assert x == pytest.approx(middle, rel=1e-4)
    assert y == pytest.approx((120 - 60) / 1.2 + 140 - 240, abs=1e-3)
