"""Start the process that serves, with a folder of its own, and end both.

Gradio takes its folder, and whether it reports to its makers, from the environment. That of a new
process is ours to choose; uploads and results are gone with the folder, however the server ends.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tddfa.child_python import child_command, child_environment
from tddfa.video.uninterrupted import sigterm_interrupts

# Seconds in which the server must have ended.
_PATIENCE = 5


def run_server(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM and return the exit code.

    Parameters
    ----------
    argv : sequence of str
        Arguments of ``tddfa web``.
    """
    with tempfile.TemporaryDirectory(prefix="tddfa_web_", ignore_cleanup_errors=True) as folder:
        command = child_command("tddfa.web.server", argv)
        environment = server_environment(child_environment(os.environ), Path(folder))
        with (
            sigterm_interrupts(),
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stderr=_stderr(), env=environment
            ) as server,
        ):
            try:
                return server.wait()
            except KeyboardInterrupt:
                return 0
            finally:
                _end(server)


def server_environment(inherited: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of the server: Gradio's settings are ours, its folder is `folder`.

    Parameters
    ----------
    inherited : mapping
        That of this process.
    folder : Path
        The run's folder.
    """
    kept = {name: value for name, value in inherited.items() if not name.startswith("GRADIO_")}
    # Other temporary files lie beside what is served, not in it.
    temporary = folder / "temporary"
    temporary.mkdir()
    return kept | {
        "GRADIO_TEMP_DIR": str(folder / "served"),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TMPDIR": str(temporary),
        "TEMP": str(temporary),
        "TMP": str(temporary),
    }


def _stderr() -> int | None:
    """Return where this process's messages go, which need not be its file descriptor 2."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _end(server: "subprocess.Popen[bytes]") -> None:
    """End a server: its standard input ends, and if that is not enough it is killed."""
    if server.stdin is not None:
        with contextlib.suppress(OSError):
            server.stdin.close()
    try:
        server.wait(_PATIENCE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()
        server.wait()
