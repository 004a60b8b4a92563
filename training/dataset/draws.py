"""Which crops of a packed data set are drawn, where they are made into another set."""

import numpy as np
import numpy.typing as npt


def evenly(
    rows: npt.NDArray[np.integer], count: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return `count` of the rows, none more than once more often than another.

    They are sorted: what lies together on disk is read together, and the order of the new set is
    that of the old one.

    Examples
    --------
    >>> evenly(np.array([4, 7]), 4, np.random.default_rng(0)).tolist()
    [4, 4, 7, 7]
    """
    rounds = max(1, -(-count // len(rows)))
    order = np.concatenate([generator.permutation(rows) for _ in range(rounds)])
    return np.sort(order[:count]).astype(np.int64)
