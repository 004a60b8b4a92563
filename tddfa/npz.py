"""Reading ``.npz`` archives that may come from anywhere."""

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.io.mapped_arrays import read_npz

# What an archive may unpack to; face models have some ten megabytes.
_LARGEST = 1 << 30


def load_npz(path: str | Path, mapped: Collection[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """Load all arrays of an archive; nothing is unpickled.

    Parameters
    ----------
    path : str or Path
    mapped : collection of str
        Arrays to be mapped where that can be, see `tddfa.io.mapped_arrays.read_npz`.

    Raises
    ------
    InputError
        If the file cannot be read, is no archive, holds anything but arrays, or would unpack to
        more than a gigabyte.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > _LARGEST:
            raise InputError(f"'{path}': expected at most {_LARGEST} bytes of arrays, got {size}")
        arrays = read_npz(Path(path), mapped)
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("not every member is an array")  # NumPy hands out the others' bytes
    except InputError:
        raise
    except Exception as error:  # a damaged archive raises zlib, zipfile, memory and value errors
        raise InputError(f"'{path}': expected an .npz archive of arrays") from error
    return arrays
