r"""Work on several things at once, and hand the results on in order.

::

    items    1 2 3 4 5 6 ...        At most `workers` are worked on, and no more than that many
              \ \ \                 again wait for one before them: memory is bounded.
    workers   [3][4]   done: [2]
                          \
    results  1 ... 2       in order
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result]:
    """Yield ``function(item)`` for every item in order, computed in threads.

    For functions that spend their time where Python's lock is not held: decoding, networks,
    compiled loops, files. An error is raised in its turn, after the results before it; what has not
    begun by then never does. The same happens if the generator is closed.

    Parameters
    ----------
    function : callable
        Called from several threads at once.
    items : iterable
        Taken one by one, in this thread.
    workers : int
        Threads; with 1 there are none, and the function is called here.

    Examples
    --------
    >>> list(side_by_side(lambda x: x * x, range(5), workers=2))
    [0, 1, 4, 9, 16]
    """
    if workers == 1:
        yield from map(function, items)
        return
    running: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, "side-by-side")
    try:
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) >= 2 * workers:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
