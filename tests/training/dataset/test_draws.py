import numpy as np
import pytest

from training.dataset.draws import evenly


@pytest.mark.parametrize("count", [0, 1, 4, 5, 13])
def test_no_row_is_drawn_much_more_often_than_another(count: int) -> None:
    rows = np.array([9, 2, 5, 7, 30])
    drawn = evenly(rows, count, np.random.default_rng(count))
    assert len(drawn) == count and set(drawn.tolist()) <= set(rows.tolist())
    assert (np.diff(drawn) >= 0).all()
    times = [int((drawn == row).sum()) for row in rows]
    assert max(times) - min(times) <= 1
