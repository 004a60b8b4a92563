"""How good coefficients are, channel by channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.arkit52 import NAMES

Array = npt.NDArray[np.floating]

# A channel whose labels deviate by less than this does not move.
LEAST_MOVEMENT = 0.05
MUST = ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen")


def correlations(found: Array, labels: Array) -> npt.NDArray[np.float64]:
    """Return the correlation of each column, NaN where one of both is constant.

    Examples
    --------
    >>> labels = np.array([[0.0, 1.0], [1.0, 1.0], [0.5, 1.0]])
    >>> correlations(labels / 2, labels).tolist()
    [1.0, nan]
    """
    a = found.astype(np.float64) - found.mean(axis=0, dtype=np.float64)
    b = labels.astype(np.float64) - labels.mean(axis=0, dtype=np.float64)
    size = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    product = (a * b).sum(axis=0)
    out = np.full(a.shape[1], np.nan)
    np.divide(product, size, out=out, where=size > 1e-9)
    return out


def compare(found: Array, labels: Array) -> dict[str, Any]:
    """Return correlation and mean absolute error by channel, and their means.

    ``mean_correlation`` is over the channels that move and have an answer that moves; with
    ``constant`` others, whose answer never does, counted as 0 it is ``mean_with_constant``.
    """
    r, error = correlations(found, labels), np.abs(found - labels).mean(axis=0)
    spread = labels.std(axis=0)
    moving = spread >= LEAST_MOVEMENT
    return {
        "faces": len(labels),
        "moving": int(moving.sum()),
        "constant": int(np.isnan(r[moving]).sum()),
        "mean_correlation": _mean(r[moving & np.isfinite(r)]),
        "mean_with_constant": _mean(np.nan_to_num(r[moving])),
        "mean_absolute_error": float(error.mean()),
        # What an answer that never moves would have: the median of each channel.
        "error_of_the_median": float(np.abs(labels - np.median(labels, axis=0)).mean()),
        "channels": {
            name: {
                "correlation": float(r[k]),
                "absolute_error": float(error[k]),
                "deviation": float(spread[k]),
            }
            for k, name in enumerate(NAMES)
        },
    }


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")
