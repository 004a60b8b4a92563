"""PyTorch in processes that were forked: its threads were not, and it would wait for them."""

import os

from tddfa.errors import InputError

# The process that PyTorch got to work in. It is the process that has this state, not an object:
# what is made anew in a forked process hangs as well. A fork copies the set, with the old number.
_AT_WORK_IN: set[int] = set()


def was_forked() -> bool:
    """Tell whether PyTorch was at work in the process that this one was forked from.

    To be asked before PyTorch computes anything, be it half precision made single: from then on
    this process counts as one that it is at work in.
    """
    if not _AT_WORK_IN:
        _AT_WORK_IN.add(os.getpid())
    return os.getpid() not in _AT_WORK_IN


def check_process() -> None:
    """Raise if PyTorch would hang in this process.

    Raises
    ------
    InputError
        Says what to do instead.
    """
    if was_forked():
        raise InputError(
            "PyTorch was used before this process was forked, and would hang: start processes with "
            "multiprocessing's method 'spawn', or use ONNX Runtime"
        )
