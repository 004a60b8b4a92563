import numpy as np
import pytest

from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.live.face_osc import frame_messages

IMAGE = np.zeros((4, 4, 3), np.uint8)


def test_no_face():
    (message,) = frame_messages(Frame(7, 0.5, IMAGE), 3, 0.5)
    assert (message.address, message.values) == ("/tddfa/frame", (3, 0.5, 0))


@pytest.mark.parametrize("blendshapes", [None, np.ones(52, np.float32)])
def test_every_face(blendshapes):
    param = np.zeros(62, np.float32)
    param[[0, 5, 10]] = 1
    points = np.arange(204, dtype=np.float32).reshape(3, 68)
    faces = [
        Face(0.5, [0.0, 0.0, 9.0, 9.0], param, points, track_id=n, blendshapes=blendshapes)
        for n in (4, 6)
    ]
    messages = frame_messages(Frame(0, 0.0, IMAGE, faces), 0, 0.0)
    by_address = {message.address: message.values for message in messages}
    assert by_address["/tddfa/frame"] == (0, 0.0, 2)
    assert by_address["/tddfa/face/4/landmarks"][:4] == (0, 68, 1, 69)
    assert len(by_address["/tddfa/face/6/landmarks"]) == 136
    assert by_address["/tddfa/face/6/pose"] == pytest.approx((0, 0, 0))
    assert len(by_address["/tddfa/face/6/box"]) == 4
    assert ("/tddfa/face/6/blendshapes" in by_address) == (blendshapes is not None)
