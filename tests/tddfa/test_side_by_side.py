import threading
import time

import pytest

from tddfa.side_by_side import available_cores, side_by_side


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_results_in_order(workers, count):
    def slow_at_first(number):
        time.sleep(0.02 if number % 5 == 0 else 0)
        return number

    assert list(side_by_side(slow_at_first, range(count), workers)) == list(range(count))


def test_things_are_worked_on_at_once():
    together = threading.Barrier(3, timeout=20)
    assert len(list(side_by_side(lambda _: together.wait(), range(3), 3))) == 3


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_comes_in_its_turn(workers):
    def work(number):
        if number == 4:
            raise KeyError(number)
        return number

    results = side_by_side(work, range(1000), workers)
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(KeyError):
        next(results)


def test_no_more_is_begun_than_fits():
    begun, gate = [], threading.Event()

    def work(number):
        begun.append(number)
        gate.wait(20)

    taken = []
    results = side_by_side(work, (taken.append(i) or i for i in range(100)), 2)
    threading.Timer(0.3, gate.set).start()
    next(results)
    assert len(taken) <= 4
    results.close()
    assert len(begun) <= 4


def test_closing_ends_it():
    done = []
    results = side_by_side(done.append, range(10_000), 2)
    next(results)
    results.close()
    assert len(done) < 100


def test_cores():
    assert available_cores() >= 1
