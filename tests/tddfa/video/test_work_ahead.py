import threading
import time

import pytest

from tddfa.video.work_ahead import ahead


@pytest.mark.parametrize("count", [0, 1, 100])
def test_order_is_kept(count):
    assert list(ahead(iter(range(count)), depth=3)) == list(range(count))


def test_works_ahead_but_not_farther_than_told():
    made = []

    def source():
        for number in range(50):
            made.append(number)
            yield number

    items = ahead(source(), depth=3)
    assert next(items) == 0
    time.sleep(0.2)
    assert 2 <= len(made) <= 6
    assert list(items) == list(range(1, 50))


def test_error_comes_after_what_was_before_it():
    def source():
        yield 1
        raise KeyError("late")

    items = ahead(source())
    assert next(items) == 1
    with pytest.raises(KeyError, match="late"):
        next(items)


def test_closing_ends_all_threads_and_closes_the_source():
    closed = []

    def source():
        try:
            yield from range(10**9)
        finally:
            closed.append(True)

    before = threading.active_count()
    items = ahead(x + 1 for x in ahead(source(), depth=2))
    assert next(items) == 1
    items.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    assert closed == [True]
