"""Ctrl-C and its polite sister SIGTERM: steps that they must not part, and one answer to both."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_KINDS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the block is done, then let them through.

    Outside the main thread, where signals do not arrive, it does nothing.

    Examples
    --------
    >>> with uninterrupted():
    ...     pass  # what belongs together: a frame and its record
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[tuple[int, FrameType | None]] = []

    def remember(number: int, frame: FrameType | None) -> None:
        caught.append((number, frame))

    handlers = {kind: signal.signal(kind, remember) or signal.SIG_DFL for kind in _KINDS}
    try:
        yield
    finally:
        for kind, handler in handlers.items():
            signal.signal(kind, handler)
    for number, frame in caught:
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        elif handler == signal.SIG_DFL:
            raise KeyboardInterrupt


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let a request to end (SIGTERM) raise KeyboardInterrupt within the block, as Ctrl-C does.

    Outside the main thread, where signals do not arrive, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
