"""Plain OSC: everything known about every face, for programs of one's own.

::

    /tddfa/frame                number, seconds, faces
    /tddfa/face/ID/score        0 to 1
    /tddfa/face/ID/box          xmin, ymin, xmax, ymax    in pixels, y down
    /tddfa/face/ID/pose         yaw, pitch, roll          degrees
    /tddfa/face/ID/landmarks    x0, y0, x1, y1, ... x67, y67
    /tddfa/face/ID/blendshapes  52 coefficients in the order of `tddfa.arkit52`
"""

from tddfa.frame import Frame
from tddfa.live.osc import Message


def frame_messages(frame: Frame, number: int, seconds: float) -> list[Message]:
    """Return the messages of one frame."""
    messages = [Message("/tddfa/frame", (number, float(seconds), len(frame.faces)))]
    for face in frame.faces:
        place = f"/tddfa/face/{face.track_id or 0}"
        pose = face.pose
        points = face.landmarks[:2].T.ravel()
        messages += [
            Message(f"{place}/score", (float(face.score),)),
            Message(f"{place}/box", tuple(face.box.tolist())),
            Message(f"{place}/pose", (pose.yaw, pose.pitch, pose.roll)),
            Message(f"{place}/landmarks", tuple(points.tolist())),
        ]
        if face.blendshapes is not None:
            messages.append(Message(f"{place}/blendshapes", tuple(face.blendshapes.tolist())))
    return messages
