"""The process that serves the page; `tddfa.web.process` starts it."""

import argparse
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Any

from tddfa.assets import DEFAULT_CONFIG, NAMED_CONFIGS
from tddfa.cli import run_main
from tddfa.commands.web import PROG, parse_args
from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.pipelines import build_pipeline, build_tracking_pipeline
from tddfa.web.jobs import Networks
from tddfa.web.limits import Limits
from tddfa.web.storage import Storage


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until standard input ends: then the process that started this one wants it, or died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other process's to answer
    return run_main(lambda: serve(parse_args(argv, PROG)))


def serve(args: argparse.Namespace) -> int:
    """Serve the page that parsed arguments ask for.

    Raises
    ------
    InputError
        If networks cannot be built, or the address cannot be used.
    """
    from gradio.utils import get_upload_folder

    networks = shared_networks(args)
    networks.get(networks.names[0])  # what is wrong with it shall be told now
    limits = chosen_limits(args)
    storage = Storage(Path(get_upload_folder()), limits)
    storage.keep_clean()
    page, address = launch(networks, storage, limits, args.host, args.port)
    sys.stdout.write(f"{address} (Ctrl-C ends)\n")
    sys.stdout.flush()
    if args.open:
        webbrowser.open(address)
    sys.stdin.read()
    page.close(verbose=False)
    return 0


def launch(
    networks: Networks, storage: Storage, limits: Limits, host: str, port: int | None
) -> tuple[Any, str]:
    """Start to serve in threads; return the page, whose ``close`` ends that, and its address.

    Parameters
    ----------
    networks : Networks
    storage : Storage
        Gradio's own folder for uploads.
    limits : Limits
    host : str
        Address to listen at.
    port : int, optional
        By default the first free one from 7860 on.

    Raises
    ------
    InputError
        If the address cannot be used.
    """
    from starlette.middleware import Middleware

    from tddfa.web.headers import SafeHeaders
    from tddfa.web.page import build_page, theme

    page = build_page(networks, storage, limits)
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            share=False,
            inbrowser=False,
            prevent_thread_lock=True,
            quiet=True,
            show_error=False,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            allowed_paths=[],
            blocked_paths=[tempfile.gettempdir()],
            max_file_size=limits.upload_mb << 20,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            theme=theme(),
            app_kwargs={"middleware": [Middleware(SafeHeaders)], "docs_url": None},
        )
    except OSError as error:
        raise InputError(f"--host {host} --port {port}: cannot be used: {error}") from error
    return page, str(address)


def shared_networks(args: argparse.Namespace) -> Networks:
    """Return the networks that parsed arguments ask for; of the default ones all that ship."""

    def builder(config: str) -> Callable[[bool], FaceAligner]:
        def build(clips: bool) -> FaceAligner:
            own = copy(args)
            own.config = config
            return build_tracking_pipeline(own) if clips else build_pipeline(own)

        return build

    if args.config != DEFAULT_CONFIG:
        return Networks({Path(args.config).stem: builder(args.config)})
    named = {"x1.0": "default", "x0.5": "small", "free x1.0": "free"}
    return Networks({label: builder(NAMED_CONFIGS[name]) for label, name in named.items()})


def chosen_limits(args: argparse.Namespace) -> Limits:
    """Return the limits that parsed arguments ask for."""
    return Limits(upload_mb=args.upload_mb, clip_seconds=args.clip_seconds)


if __name__ == "__main__":
    sys.exit(main())
