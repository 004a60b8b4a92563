"""Drive a headless Chromium through its debugging pipe: no package is needed, no port is open."""

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # as root, as in containers
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
)


def find_chromium() -> str | None:
    """Return the path of a Chromium; None where there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Page:
    """A tab of a browser.

    Attributes
    ----------
    events : list of dict
        What the browser reported: console messages, requests.
    """

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = os.fdopen(read, "rb", 0), os.fdopen(write, "wb", 0)
        self._numbers, self._buffer = itertools.count(1), b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol and return its result."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = self._read.read(1 << 20)
            if not part:
                raise RuntimeError("Chromium ended")
            self._buffer += part
        text, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        return message

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; promises are waited for."""
        done = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def open(self, url: str) -> None:
        """Go to an address."""
        self.call("Page.navigate", url=url)

    def wait_for(self, expression: str, seconds: float = 30) -> None:
        """Wait until a JavaScript expression is true.

        Raises
        ------
        TimeoutError
            If it does not become true in time.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(RuntimeError):  # between two pages
                if self.evaluate(f"!!({expression})"):
                    return
            time.sleep(0.1)
        raise TimeoutError(f"not true after {seconds} s: {expression}")

    def choose_file(self, selector: str, path: Path) -> None:
        """Put a file into an ``<input type=file>``."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path.resolve())])

    def screenshot(self, path: Path) -> None:
        """Write what is seen, as PNG or JPEG."""
        kind = "png" if path.suffix == ".png" else "jpeg"
        data = self.call("Page.captureScreenshot", format=kind)["data"]
        path.write_bytes(base64.b64decode(data))


@contextlib.contextmanager
def chromium(
    flags: Sequence[str] = (), size: tuple[int, int] = (1280, 800), program: str | None = None
) -> Iterator[Page]:
    """Start a browser and return a tab of it; it ends with the block.

    Parameters
    ----------
    flags : sequence of str
        More of Chromium's flags.
    size : (int, int)
        Width and height of the window in pixels.
    program : str, optional
        Chromium; by default the one that is installed.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    found = program or find_chromium()
    if found is None:
        raise FileNotFoundError("Chromium is not installed: apt-get install chromium")
    (their_read, our_write), (our_read, their_write) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            found,
            *_FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}",
        ]
        # Chromium reads from file descriptor 3 and writes to 4. Not every shell knows 3<&12.
        moved = f"3</dev/fd/{their_read} 4>/dev/fd/{their_write}"
        shell = ["sh", "-c", f'exec "$0" "$@" {moved}', *command, *flags]
        browser = subprocess.Popen(
            shell,
            pass_fds=(their_read, their_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(their_read)
        os.close(their_write)
        try:
            yield Page(our_read, our_write)
        finally:
            browser.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                browser.wait(10)
            browser.kill()
            browser.wait()
