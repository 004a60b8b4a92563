"""A stopwatch."""

from time import perf_counter


class Timer:
    """Measure a span again and again.

    Attributes
    ----------
    total_time, diff, average_time : float
        Seconds of all spans, of the last one, and their mean.
    calls : int
        Number of spans.
    start_time : float
        Where the running span began, on the clock of `time.perf_counter`.

    Examples
    --------
    >>> timer = Timer()
    >>> timer.tic(); seconds = timer.toc()
    >>> timer.calls, seconds >= 0
    (1, True)
    """

    calls: int

    def __init__(self) -> None:
        self.clear()

    def tic(self) -> None:
        """Begin a span."""
        self.start_time = perf_counter()

    def toc(self, average: bool = True) -> float:
        """End the span and return the mean of all spans, or this one, in seconds."""
        self.diff = perf_counter() - self.start_time
        self.total_time += self.diff
        self.calls += 1
        self.average_time = self.total_time / self.calls
        return self.average_time if average else self.diff

    def clear(self) -> None:
        """Forget all spans."""
        self.total_time, self.start_time = 0.0, 0.0
        self.diff, self.average_time = 0.0, 0.0
        self.calls = 0
