"""Work shared out among threads: order, errors, and who does it."""

import threading

import pytest

from Sim3DR.threads import share


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_come_in_the_order_of_the_parts(n_threads, count):
    assert share(lambda i: i * i, [(i,) for i in range(count)], n_threads) == [
        i * i for i in range(count)
    ]


def test_several_threads_work_at_once_and_none_is_left():
    together = threading.Barrier(3, timeout=20)
    before = threading.active_count()
    names = share(lambda: (together.wait(), threading.current_thread())[1], [()] * 3, 3)
    assert threading.current_thread() in names and len(set(names)) == 3
    assert threading.active_count() == before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_reaches_the_caller(n_threads):
    def work(i):
        if i == 3:
            raise ValueError("three")
        return i

    with pytest.raises(ValueError, match="three"):
        share(work, [(i,) for i in range(6)], n_threads)
