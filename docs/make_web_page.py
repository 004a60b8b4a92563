"""Take the picture of ``tddfa web`` in docs/web.md.

``python -m docs.make_web_page`` starts the page, gives it the examples' portrait in headless
Chromium, and rewrites ``docs/images/web/page.jpg``. Needs the extra ``web`` and ``chromium``.
"""

import argparse
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.chromium import chromium
from benchmarks.first_steps import page_is_delivered
from tddfa.cli import run_main
from tddfa.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
PORTRAIT = ROOT / "examples" / "inputs" / "astronaut.png"
TARGET = ROOT / "docs" / "images" / "web" / "page.jpg"
SIZE = (1416, 900)
ALIGN = "[...document.querySelectorAll('button')].find(b => b.textContent.trim() === 'Align')"
DRAWN = "document.querySelectorAll('.grid-container img, .gallery-item img, .thumbnail-item img')"
SECONDS = 120.0


@contextlib.contextmanager
def served(port: int) -> Iterator[str]:
    """Run ``tddfa web`` and give its address."""
    command = [sys.executable, "-m", "tddfa", "web", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        if not page_is_delivered(address, server):
            raise InputError(f"'tddfa web': expected a page at {address}, there is none")
        yield address
    finally:
        server.terminate()
        server.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.make_web_page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=TARGET, help="picture (%(default)s)")
    args = parser.parse_args(argv)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with served(port) as address, chromium(size=SIZE) as page:
        page.open(address)
        page.wait_for(f"({ALIGN}) && document.querySelector('input[type=file]')", SECONDS)
        page.choose_file("input[type=file]", PORTRAIT)
        page.wait_for(f"document.body.innerText.includes('{PORTRAIT.name}')", SECONDS)
        page.evaluate(f"({ALIGN}).click()")
        page.wait_for(f"{DRAWN}.length >= 6 && [...{DRAWN}].every(i => i.complete)", SECONDS)
        time.sleep(1.0)  # until the page stands still
        args.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
