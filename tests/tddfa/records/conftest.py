import numpy as np
import pytest

from tddfa.face import Face
from tddfa.frame import Frame

IMAGE = np.zeros((480, 640, 3), np.uint8)


def make_face(number, **changes):
    rng = np.random.default_rng(number)
    param = rng.normal(size=62).astype(np.float32)
    points = rng.uniform(0, 300, (3, 68)).astype(np.float32)
    shapes = rng.uniform(0, 1, 52).astype(np.float32)
    values = {"track_id": number, "blendshapes": shapes} | changes
    return Face(0.75, [1.0, 2.0, 101.0, 102.0], param, points, **values)


@pytest.fixture
def face():
    return make_face


@pytest.fixture
def frames():
    return [
        Frame(0, 0.0, IMAGE, []),
        Frame(1, 0.04, IMAGE, [make_face(1), make_face(2)]),
        Frame(2, 0.08, IMAGE, [make_face(1)]),
    ]


@pytest.fixture
def turned(face):
    """Return a maker of faces with known angles (degrees, our signs), scale and place."""

    def make(yaw=0.0, pitch=0.0, roll=0.0, scale=1.0, roi=(0, 0, 120, 120), offset=(60.0, 60.0)):
        # R = Rz(roll)·Ry(-yaw)·Rx(pitch), whose angles `tddfa.pose` reads back.
        y, p, r = np.radians([yaw, pitch, roll])
        about_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
        about_y = [[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]]
        about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
        rotation = np.array(about_z) @ about_y @ about_x
        param = np.zeros(62, np.float32)
        param[:12] = np.c_[scale * rotation, [*offset, 0]].ravel()
        points = np.zeros((3, 68), np.float32)
        found = Face(0.9, [float(side) for side in roi], param, points, track_id=1)
        np.testing.assert_allclose(
            [found.pose.yaw, found.pose.pitch, found.pose.roll], [yaw, pitch, roll], atol=1e-3
        )
        return found

    return make
