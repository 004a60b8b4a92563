"""Where the faces of a live view go besides the screen."""

from collections.abc import Sequence
from typing import Protocol

from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.live.face_osc import frame_messages
from tddfa.live.osc import Destination, OscSender
from tddfa.live.virtual_camera import VirtualCamera
from tddfa.live.vmc import face_messages
from tddfa.picture import ImageArray


class Outlet(Protocol):
    """Takes every frame that is shown, with the picture made of it."""

    def take(self, frame: Frame, picture: ImageArray, number: int) -> None:
        """Take the frame; `number` counts the frames shown, from 0."""

    def close(self) -> None:
        """End; nothing is taken afterwards."""


class VmcOutlet:
    """An avatar by VMC: the head and face of one person, the one followed longest."""

    def __init__(self, destination: Destination, mirror: bool = False) -> None:
        self._sender, self._mirror = OscSender(destination), mirror
        self._seen: dict[int, int] = {}

    def take(self, frame: Frame, picture: ImageArray, number: int) -> None:
        """Send the frame's messages."""
        face = self._choose(frame.faces)
        self._sender.send(face_messages(face, frame.time, self._mirror))

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()

    def _choose(self, faces: Sequence[Face]) -> Face | None:
        """Return the face that has been there longest, so that the avatar does not jump."""
        here = {face.track_id or 0: face for face in faces}
        self._seen = {number: self._seen.get(number, 0) + 1 for number in here}
        if not here:
            return None
        return here[max(here, key=lambda number: (self._seen[number], here[number].size))]


class OscOutlet:
    """Every face by plain OSC, see `tddfa.live.face_osc`."""

    def __init__(self, destination: Destination) -> None:
        self._sender = OscSender(destination)

    def take(self, frame: Frame, picture: ImageArray, number: int) -> None:
        """Send the frame's messages."""
        self._sender.send(frame_messages(frame, number, frame.time))

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()


class CameraOutlet:
    """The picture as it is shown, by a virtual camera."""

    def __init__(self, device: str | None = None) -> None:
        self._camera = VirtualCamera(device=device)

    def take(self, frame: Frame, picture: ImageArray, number: int) -> None:
        """Show the picture."""
        self._camera.show(picture)

    def close(self) -> None:
        """Give the camera back."""
        self._camera.close()
