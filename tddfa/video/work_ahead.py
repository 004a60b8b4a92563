"""Let a stage of a chain of generators work ahead in a thread of its own."""

import threading
from collections.abc import Generator, Iterable
from queue import Empty, Queue
from typing import TypeVar

Item = TypeVar("Item")


class _End:
    """Last entry of the queue; carries the error that ended the stage, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(items: Iterable[Item], depth: int = 4) -> Generator[Item, None, None]:
    """Yield what `items` yields, computed in a thread up to `depth` items ahead.

    Memory is bounded by `depth`. An error in the thread is raised here, after the items before it.
    When this generator is closed, the thread stops and closes `items` if that is a generator.

    Parameters
    ----------
    items : iterable
        Must not be used by anybody else.
    depth : int
        Items that may wait.

    Examples
    --------
    >>> list(ahead(x * x for x in range(4)))
    [0, 1, 4, 9]
    """
    queue: Queue[Item | _End] = Queue(max(1, depth))
    stopped = threading.Event()

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                queue.put(item)
                if stopped.is_set():
                    break
        except BaseException as caught:
            error = caught
        finally:
            close = getattr(items, "close", None)
            if stopped.is_set() and close is not None:
                close()
            queue.put(_End(error))

    worker = threading.Thread(target=work, name="ahead", daemon=True)
    worker.start()
    try:
        while True:
            item = queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        while worker.is_alive():  # make room, so that the thread sees that it is to stop
            try:
                queue.get(timeout=0.02)
            except Empty:
                continue
