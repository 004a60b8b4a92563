"""Read pickles that hold NumPy arrays and plain containers, and nothing else.

A pickle is a program: ``pickle.load`` on a stranger's file runs what the stranger wrote. The
unpickler here resolves only the few callables that NumPy's arrays are rebuilt with; any other name
in the file ends the reading before it is called.
"""

import codecs
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.errors import InputError

# What NumPy itself names when it pickles an array (protocols below 5, and 5) and a scalar.
_RECONSTRUCT = np.zeros(1).__reduce__()[0]
_FROM_BUFFER = np.zeros(1).__reduce_ex__(5)[0]
_SCALAR = np.float64(0).__reduce__()[0]

_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    # Protocol 2 pickles written by Python 3 carry bytes through this codec function.
    ("_codecs", "encode"): codecs.encode,
}
# NumPy 1 wrote numpy.core, NumPy 2 numpy._core: both resolve to the one that is here.
for _core in ("numpy._core", "numpy.core"):
    _ALLOWED[f"{_core}.multiarray", "_reconstruct"] = _RECONSTRUCT
    _ALLOWED[f"{_core}.multiarray", "scalar"] = _SCALAR
    _ALLOWED[f"{_core}.numeric", "_frombuffer"] = _FROM_BUFFER


class ArrayUnpickler(pickle.Unpickler):
    """Unpickler that admits NumPy arrays and scalars and builtin containers alone."""

    def find_class(self, module: str, name: str) -> Any:
        """Resolve `name` if it belongs to NumPy's array format, else refuse.

        Raises
        ------
        pickle.UnpicklingError
            If the pickle asks for anything else.
        """
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def load_arrays(path: str | Path) -> Any:
    """Load a pickle of arrays without executing anything.

    Parameters
    ----------
    path : str or Path
        File in any pickle protocol, written by NumPy 1 or 2.

    Returns
    -------
    object
        Array, or dict, list, tuple of arrays, numbers and strings. Arrays of dtype object are
        refused, since their elements could be anything.

    Raises
    ------
    InputError
        If the file cannot be read, is no pickle, or holds anything but arrays.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from error
    try:
        return ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
    except Exception as error:  # a damaged pickle raises nearly any type
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"'{path}': expected a pickle of NumPy arrays alone, {reason}") from error
