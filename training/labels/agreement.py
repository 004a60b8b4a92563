"""How far a label is to be trusted: by the agreement of those who were asked for it.

Where two networks, or they and the points on the face, disagree more than they usually do on a face
so turned, at least one of them is wrong, and their compromise is too. Such faces are seldom plain
ones, and dropping them would drop profiles first: they are drawn less often instead. Disagreement
is measured against what is usual at that yaw, so that turned faces keep their share.

::

    r = largest of  disagreement / usual disagreement      weight = 1 / (1 + (r / HALVED)²)
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]

# Medians over 5,120 portraits, in percent of the box.
YAWS = (5.0, 15.0, 25.0, 35.0, 45.0, 55.0, 75.0)
USUAL_SPREAD = (0.79, 0.87, 0.93, 1.1, 1.34, 1.61, 1.91)
USUAL_DISTANCE = (1.5, 1.8, 2.0, 2.4, 2.8, 3.3, 3.7)
HALVED = 2.5
LEAST = 0.05


def label_weights(
    yaw: FloatArray, spread: FloatArray | None, distance: FloatArray, share: FloatArray
) -> npt.NDArray[np.float32]:
    """Return how often faces shall be drawn, (n,), at most 1.

    Parameters
    ----------
    yaw : ndarray, shape (n,)
        Degrees.
    spread : ndarray, shape (n,), or None
        Of several networks among each other, see `second_opinion.SecondOpinion`.
    distance : ndarray, shape (n,)
        Of the fitted points on the face from the networks', in percent of the box; not finite where
        no points were found.
    share : ndarray, shape (n,)
        How much those points count in the label, 0 to 1.

    Examples
    --------
    >>> none = np.zeros(2)
    >>> label_weights(none, np.array([0.0, 20.0]), none, none).astype(float).round(2).tolist()
    [1.0, 0.05]
    """
    turn = np.abs(np.asarray(yaw, np.float64))
    ratio = np.zeros(len(turn))
    if spread is not None:
        ratio = np.asarray(spread) / np.interp(turn, YAWS, USUAL_SPREAD)
    apart = np.where(np.isfinite(distance), distance, 0.0) / np.interp(turn, YAWS, USUAL_DISTANCE)
    ratio = np.maximum(ratio, apart * share)
    return np.maximum(1 / (1 + (ratio / HALVED) ** 2), LEAST).astype(np.float32)
