"""VMC, the protocol of Virtual Motion Capture: what avatars of VTubers understand.

Source: protocol.vmc.info, "Marionette specification". Axes are Unity's::

        ours (right-handed)              Unity (left-handed)
     y |  z to the viewer             y |  / z, where the avatar looks
       | /                              | /
       |/___ x, picture's right    _____|/   x, the avatar's own right
"""

import math

from tddfa import arkit52
from tddfa.face import Face
from tddfa.live.osc import Message
from tddfa.pose import HeadPose
from tddfa.records.values import blendshapes_of

Quaternion = tuple[float, float, float, float]


def head_rotation(pose: HeadPose, mirror: bool = False) -> Quaternion:
    """Return a head's rotation as a quaternion (x, y, z, w) in Unity's axes.

    x is turned around, so that rotations about y and z change their sign; a mirrored avatar
    turns as the mirror image does, which is the same again.

    Parameters
    ----------
    pose : HeadPose
        Its rotation is used, whatever its angles.
    mirror : bool
        Whether the avatar shall move as in a mirror.
    """
    x, y, z, w = _quaternion(pose.rotation.astype(float).tolist())
    return (x, y, z, w) if mirror else (x, -y, -z, w)


def face_messages(face: Face | None, seconds: float, mirror: bool = False) -> list[Message]:
    """Return the messages of one frame: state, time, head, coefficients.

    Without a face only state and time are sent, so that the avatar stays as it is.

    Parameters
    ----------
    face : Face or None
        Whose head and coefficients it is.
    seconds : float
        Since the beginning.
    mirror : bool
        Whether the avatar shall move as in a mirror: left and right are exchanged.
    """
    messages = [Message("/VMC/Ext/OK", (1,)), Message("/VMC/Ext/T", (float(seconds),))]
    if face is None:
        return messages
    place = (0.0, 0.0, 0.0)  # of the head on its neck: the avatar's own
    rotation = head_rotation(face.pose, mirror)
    messages.append(Message("/VMC/Ext/Bone/Pos", ("Head", *place, *rotation)))
    if face.blendshapes is not None:
        for name, value in zip(arkit52.NAMES, blendshapes_of(face).tolist(), strict=True):
            shown = arkit52.capitalized(arkit52.mirrored(name) if mirror else name)
            messages.append(Message("/VMC/Ext/Blend/Val", (shown, float(value))))
        messages.append(Message("/VMC/Ext/Blend/Apply"))
    return messages


def _quaternion(r: list[list[float]]) -> Quaternion:
    """Return (x, y, z, w) of a rotation matrix (Shepperd 1978: divide by the largest)."""
    trace = r[0][0] + r[1][1] + r[2][2]
    if trace > 0:
        s = 2 * math.sqrt(1 + trace)
        return (
            (r[2][1] - r[1][2]) / s,
            (r[0][2] - r[2][0]) / s,
            (r[1][0] - r[0][1]) / s,
            s / 4,
        )
    i = max(range(3), key=lambda k: r[k][k])
    j, k = (i + 1) % 3, (i + 2) % 3
    s = 2 * math.sqrt(max(1 + r[i][i] - r[j][j] - r[k][k], 1e-12))
    out = [0.0, 0.0, 0.0, (r[k][j] - r[j][k]) / s]
    out[i], out[j], out[k] = s / 4, (r[j][i] + r[i][j]) / s, (r[k][i] + r[i][k]) / s
    return out[0], out[1], out[2], out[3]
