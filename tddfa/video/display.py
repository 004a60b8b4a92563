"""A window for live pictures, and whether there is a screen for it."""

import os
import re
import socket
import sys

import cv2

from tddfa.errors import InputError
from tddfa.picture import ImageArray

_HINT = "use --headless, or start it on a desktop (ssh -X, xvfb-run)"
_X_PORT = 6000


def check_display() -> None:
    """Raise `InputError` if no window can be opened.

    The windowing library ends the whole process where it cannot reach a screen; so this is found
    out before it is asked.
    """
    if not sys.platform.startswith(("linux", "freebsd")):
        return
    name = os.environ.get("DISPLAY", "")
    if not name:
        raise InputError(f"no display (DISPLAY is not set): {_HINT}")
    if not _answers(name):
        raise InputError(f"no display: nothing answers at DISPLAY={name}: {_HINT}")


def _answers(display: str) -> bool:
    """Connect to an X server, ``[host]:number[.screen]``."""
    found = re.fullmatch(r"(?:(?P<host>[^:]*))?:(?P<number>\d+)(?:\.\d+)?", display)
    if found is None:
        return False
    host, number = found["host"], int(found["number"])
    if host and host != "unix":
        try:
            with socket.create_connection((host, _X_PORT + number), timeout=2):
                return True
        except OSError:
            return False
    path = f"/tmp/.X11-unix/X{number}"
    for address in (path, f"\0{path}"):  # Linux has the second one, without a file
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(address)
                return True
        except OSError:
            continue
    return False


class Window:
    """A window that shows pictures and hears keys; a context manager."""

    def __init__(self, title: str) -> None:
        check_display()
        self._title = title
        self._seen = False
        try:
            flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            cv2.namedWindow(title, flags)
        except cv2.error as error:
            raise InputError(
                "no window: this OpenCV is built without one: pip uninstall -y "
                "opencv-python-headless && pip install opencv-python (or use --headless)"
            ) from error

    def show(self, image: ImageArray) -> str:
        """Show a picture; return the key pressed meanwhile, 'q' if the window was closed."""
        if not self._seen:
            cv2.resizeWindow(self._title, image.shape[1], image.shape[0])
        cv2.imshow(self._title, image)
        code = cv2.waitKey(1)
        if self._seen and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            return "q"
        self._seen = True
        return "" if code < 0 else chr(code & 0xFF)

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, *_: object) -> None:
        cv2.destroyAllWindows()
