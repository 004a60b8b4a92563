"""Meta-joint optimization: look ahead with both costs, keep the better.

::

              fwpdc, k steps ---> VDC on held-out crops: 31.2
    weights <                                                   keep the lower, go on from there
              vdc,   k steps ---> VDC on held-out crops: 29.8

Guo et al., ECCV 2020, algorithm 1. The forks see the same batches, and the optimizer's state
belongs to what is forked. It costs twice the steps.
"""

import math
from collections.abc import Callable, Iterable

from training.regressor.objective import Main
from training.regressor.steps import Inputs, Trainer

BRANCHES: tuple[Main, ...] = ("fwpdc", "vdc")


def look_ahead(
    trainer: Trainer, batches: Callable[[], Iterable[Inputs]], held_out: Inputs
) -> dict[str, float]:
    """Train both branches and leave the trainer at the end of the better.

    Parameters
    ----------
    trainer : Trainer
    batches : callable
        Gives the same batches each time.
    held_out : (Tensor, Tensor)
        What decides, by the VDC of the current weights (not their average, which is too slow to
        tell the branches apart).

    Returns
    -------
    dict
        Means of the better branch's log, and which one it was (``branch``: 0 fwpdc, 1 vdc).
    """
    start = trainer.state()
    best: tuple[float, dict[str, float], dict] | None = None
    for number, main in enumerate(BRANCHES):
        trainer.load_state(start)
        logs = [trainer.step(batch, main) for batch in batches()]
        cost = trainer.validate(held_out, average=False)["vdc"]
        log = {
            key: float(sum(row[key] for row in logs)) / len(logs) for key in ("loss", "gradient")
        }
        log.update(branch=float(number), branch_vdc=cost)
        # "not >=": a branch that ran into NaN never wins over one that did not.
        if best is None or cost < best[0] or math.isnan(best[0]):
            best = (cost, log, trainer.state())
    assert best is not None
    trainer.load_state(best[2])
    return best[1]
