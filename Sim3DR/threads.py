"""Share work out among a few threads, of which the calling one is the first."""

from collections import deque
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")


def share(
    work: Callable[..., Result], parts: Iterable[tuple[Any, ...]], n_threads: int
) -> list[Result]:
    """Call ``work(*part)`` for all parts, several at a time.

    The threads live for one call: starting one takes a twentieth of a millisecond, and nothing is
    left behind that a fork could inherit in a bad state. The work itself must release the GIL.

    Parameters
    ----------
    work : callable
    parts : iterable of tuple
        Arguments of each call, largest first if they differ.
    n_threads : int
        Threads at the most; 1 calls one after the other.

    Returns
    -------
    list
        What each call returned, in the order of the parts.

    Raises
    ------
    BaseException
        The first that a call raised, once all threads have ended; parts not begun are left out.

    Examples
    --------
    >>> share(lambda a, b: a * b, [(2, 3), (4, 5)], n_threads=2)
    [6, 20]
    """
    jobs = list(parts)
    n_threads = min(n_threads, len(jobs))
    if n_threads <= 1:
        return [work(*job) for job in jobs]
    waiting = deque(range(len(jobs)))
    results: dict[int, Result] = {}
    failures: list[BaseException] = []

    def run() -> None:
        while waiting and not failures:
            try:
                number = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                results[number] = work(*jobs[number])
            except BaseException as error:  # raised again below, in the caller's thread
                failures.append(error)

    helpers = [Thread(target=run, name=f"share-{i}") for i in range(1, n_threads)]
    for helper in helpers:
        helper.start()
    run()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(jobs))]
