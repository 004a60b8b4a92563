import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tddfa import arkit52
from tddfa.face import Face
from tddfa.live.outlets import VmcOutlet
from tddfa.live.vmc import face_messages, head_rotation


def face_with(rotation, track_id=1, size=100.0, blendshapes=None):
    param = np.zeros(62, np.float32)
    param[:12] = np.c_[0.7 * np.asarray(rotation), [60, 60, 0]].ravel()
    points = np.zeros((3, 68), np.float32)
    points[0, 0] = size
    return Face(
        0.9, [0.0, 0.0, 120.0, 120.0], param, points, track_id=track_id, blendshapes=blendshapes
    )


def unity_axes(vector):
    """Return a vector of ours in Unity's axes: x turned around."""
    return np.array([-1, 1, 1]) * vector


@pytest.mark.parametrize("seed", range(8))
def test_the_avatars_nose_points_where_the_face_looks(seed):
    rotation = Rotation.random(random_state=seed).as_matrix()
    quaternion = head_rotation(face_with(rotation).pose)
    assert np.linalg.norm(quaternion) == pytest.approx(1, abs=1e-5)
    # Unity turns vectors by the same formula as right-handed axes do.
    turned = Rotation.from_quat(quaternion)
    for axis in np.eye(3):
        expected = unity_axes(rotation @ unity_axes(axis))
        np.testing.assert_allclose(turned.apply(axis), expected, atol=1e-5)


def test_half_a_turn():
    rotation = Rotation.from_euler("z", 180, degrees=True).as_matrix()
    np.testing.assert_allclose(
        np.abs(head_rotation(face_with(rotation).pose)), (0, 0, 1, 0), atol=1e-6
    )


@pytest.mark.parametrize(
    ("angles", "axis", "sign"),
    [((0, 30, 0), 1, -1), ((30, 0, 0), 0, 1), ((0, 0, 30), 2, -1)],
)
def test_one_turn_at_a_time(angles, axis, sign):
    # To the head's own left, down, to its own right shoulder; about Unity's x, y, z.
    rotation = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    x, y, z, w = head_rotation(face_with(rotation).pose)
    expected = np.zeros(3)
    expected[axis] = sign * np.sin(np.radians(15))
    np.testing.assert_allclose([x, y, z], expected, atol=1e-6)
    assert w == pytest.approx(np.cos(np.radians(15)), abs=1e-6)


def test_mirrored_avatar_turns_the_other_way():
    rotation = Rotation.from_euler("xyz", (10, 20, 30), degrees=True).as_matrix()
    pose = face_with(rotation).pose
    plain, mirrored = head_rotation(pose), head_rotation(pose, mirror=True)
    np.testing.assert_allclose(mirrored, np.array([1, -1, -1, 1]) * plain, atol=1e-6)


def test_messages():
    shapes = np.linspace(0, 1, 52, dtype=np.float32)
    messages = face_messages(face_with(np.eye(3), blendshapes=shapes), 1.25)
    assert [m.address for m in messages[:3]] == ["/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Bone/Pos"]
    assert messages[1].values == (1.25,)
    assert messages[2].values == pytest.approx(("Head", 0, 0, 0, 0, 0, 0, 1))
    assert messages[-1].address == "/VMC/Ext/Blend/Apply"
    values = dict(m.values for m in messages[3:-1])
    assert list(values) == [name[0].upper() + name[1:] for name in arkit52.NAMES]
    assert values["JawOpen"] == pytest.approx(shapes[arkit52.NAMES.index("jawOpen")])


def test_mirrored_messages_exchange_left_and_right():
    shapes = np.zeros(52, np.float32)
    shapes[arkit52.NAMES.index("eyeBlinkLeft")] = 1
    messages = face_messages(face_with(np.eye(3), blendshapes=shapes), 0, mirror=True)
    values = dict(m.values for m in messages if m.address == "/VMC/Ext/Blend/Val")
    assert values["EyeBlinkRight"] == 1 and values["EyeBlinkLeft"] == 0
    assert len(values) == 52


def test_no_face_leaves_the_avatar_as_it_is():
    assert [m.address for m in face_messages(None, 0)] == ["/VMC/Ext/OK", "/VMC/Ext/T"]


def test_without_blendshapes_the_head_moves():
    addresses = [m.address for m in face_messages(face_with(np.eye(3)), 0)]
    assert addresses == ["/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Bone/Pos"]


def test_the_avatar_stays_with_one_person():
    pytest.importorskip("pythonosc")
    from tddfa.live.osc import Destination

    outlet = VmcOutlet(Destination("127.0.0.1", 9))
    small, large = face_with(np.eye(3), 1, 50), face_with(np.eye(3), 2, 90)
    assert outlet._choose([]) is None
    assert outlet._choose([small]) is small
    assert outlet._choose([large, small]) is small
    assert outlet._choose([large]) is large
    assert outlet._choose([small, large]) is large
    outlet.close()
