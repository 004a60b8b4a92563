"""Serve the page to this machine's browser, with the headers that WebAssembly's threads need."""

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "page"


class Handler(SimpleHTTPRequestHandler):
    """Files of one folder, isolated from other origins: else the browser gives no shared memory."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }
    isolated = True

    def end_headers(self) -> None:
        """Add the headers."""
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


class OneThread(Handler):
    """The same without isolation, as most places that host files: WebAssembly has one thread."""

    isolated = False


def make_server(folder: Path, port: int, *, threads: bool = True) -> ThreadingHTTPServer:
    """Return a server of a folder for this machine alone.

    Parameters
    ----------
    folder : Path
    port : int
        0 for any free one.
    threads : bool
        Whether WebAssembly may have threads.
    """
    handler = partial(Handler if threads else OneThread, directory=str(folder))
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=PAGE, help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    args = parser.parse_args()
    if not (args.folder / "index.html").is_file():
        sys.stderr.write(f"error: '{args.folder}': expected the page, run prepare.py first\n")
        return 2
    with make_server(args.folder, args.port) as server:
        sys.stdout.write(f"http://localhost:{server.server_port}/ (Ctrl-C ends)\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
