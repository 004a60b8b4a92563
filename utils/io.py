"""Reading and writing files by their extension."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.errors import InputError
from tddfa.io.atomic import atomic_write
from tddfa.io.pictures import imread, imwrite
from tddfa.pickles import load_arrays

__all__ = [
    "_dump",
    "_get_suffix",
    "_load",
    "_load_cpu",
    "_load_gpu",
    "_load_tensor",
    "_numpy_to_cuda",
    "_numpy_to_tensor",
    "_tensor_to_cuda",
    "imread",
    "imwrite",
    "mkdir",
]


def mkdir(d: str | Path) -> None:
    """Make a folder and those it lies in, where they are missing."""
    Path(d).mkdir(parents=True, exist_ok=True)


def _get_suffix(filename: str | Path) -> str:
    """Return the extension without its dot; `utils.functions.get_suffix` has the dot."""
    return Path(filename).suffix.removeprefix(".")


def _load(fp: str | Path) -> Any:
    """Return what a ``.npy`` or ``.pkl`` file holds: arrays and plain containers alone.

    Raises
    ------
    InputError
        If the file is neither, cannot be read, or holds anything else; nothing is executed.
    """
    suffix = _get_suffix(fp).lower()
    if suffix == "pkl":
        return load_arrays(fp)
    if suffix != "npy":
        raise InputError(f"'{fp}': expected a file .npy or .pkl")
    try:
        return np.load(fp, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"'{fp}': expected an .npy array") from error


def _dump(wfp: str | Path, obj: Any) -> None:
    """Write an object to ``.npy`` or ``.pkl``, whole or not at all.

    Arrays of a class of their own, such as ``tddfa.tri``, are written as plain ones, also in
    dictionaries, lists and tuples: `_load` takes no others.

    Raises
    ------
    InputError
        If the extension is another or the file cannot be written.
    """
    suffix = _get_suffix(wfp).lower()
    if suffix not in ("npy", "pkl"):
        raise InputError(f"cannot write {wfp}: expected a file .npy or .pkl")
    with atomic_write(wfp) as file:
        if suffix == "npy":
            np.save(file, obj)
        else:
            pickle.dump(_plain(obj), file)


def _plain(obj: Any) -> Any:
    """Return an object whose arrays are plain ones."""
    if type(obj) is dict:
        return {key: _plain(value) for key, value in obj.items()}
    if type(obj) in (list, tuple):
        return type(obj)(map(_plain, obj))
    # A mask is more than `_load` takes, but must not be lost without a word.
    is_array = isinstance(obj, np.ndarray) and not isinstance(obj, np.ma.MaskedArray)
    return np.asarray(obj) if is_array else obj


def _load_tensor(fp: str | Path, mode: str = "cpu") -> Any:
    """Return an array's file as a tensor, on the CPU or, for ``mode='gpu'``, on a CUDA device."""
    tensor = _numpy_to_tensor(_load(fp))
    return tensor if mode.lower() == "cpu" else _tensor_to_cuda(tensor)


def _numpy_to_tensor(x: Any) -> Any:
    """Return an array as a tensor that shares its memory."""
    import torch

    return torch.from_numpy(x)


def _tensor_to_cuda(x: Any) -> Any:
    """Return a tensor on a CUDA device."""
    return x.cuda()


def _numpy_to_cuda(x: Any) -> Any:
    """Return an array as a tensor on a CUDA device."""
    return _tensor_to_cuda(_numpy_to_tensor(x))


_load_cpu = _load


def _load_gpu(fp: str | Path) -> Any:
    """Return an array's file as a tensor on a CUDA device."""
    return _load_tensor(fp, mode="gpu")
