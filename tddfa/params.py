"""The regressor's parameter vector: layout, parts, normalization.

::

    index    0 ............ 11 | 12 ........ 11+S | 12+S ...... 11+S+E
    part     3x4 matrix [sR|t] | S shape coeffs.  | E expression coeffs.
             row-major         |                  |
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.npz import load_npz
from tddfa.pickles import load_arrays
from tddfa.weight_labels import array_id

FloatArray = npt.NDArray[np.float32]

N_CAMERA = 12
# Length of the vector -> numbers of shape and expression coefficients.
LAYOUTS = {62: (40, 10), 72: (40, 20), 141: (100, 29)}


@dataclass(frozen=True)
class FaceParameters:
    """Parts of one or several parameter vectors.

    Attributes
    ----------
    linear : ndarray, shape (..., 3, 3), float32
        Scaled rotation s·R from model units to pixels of the 120x120 crop, y up.
    offset : ndarray, shape (..., 3, 1), float32
        Translation in pixels of the crop, x 1-based, y up from the crop's lower edge.
    shape : ndarray, shape (..., S, 1), float32
        Shape coefficients.
    expression : ndarray, shape (..., E, 1), float32
        Expression coefficients.
    """

    linear: FloatArray
    offset: FloatArray
    shape: FloatArray
    expression: FloatArray


def split_params(params: npt.ArrayLike) -> FaceParameters:
    """Split parameter vectors into camera, shape and expression.

    Parameters
    ----------
    params : array_like, shape (..., 62 | 72 | 141)
        De-normalized parameters.

    Raises
    ------
    InputError
        If the vectors have another length.

    Examples
    --------
    >>> split_params(np.zeros((5, 62))).shape.shape
    (5, 40, 1)
    """
    vector = np.ascontiguousarray(params, np.float32)
    length = vector.shape[-1] if vector.ndim else 0
    if length not in LAYOUTS:
        known = ", ".join(map(str, LAYOUTS))
        raise InputError(f"parameters: expected vectors of length {known}, got {length}")
    n_shape, _ = LAYOUTS[length]
    camera = vector[..., :N_CAMERA].reshape(*vector.shape[:-1], 3, 4)
    coefficients = vector[..., N_CAMERA:, None]
    return FaceParameters(
        linear=camera[..., :3],
        offset=camera[..., 3:],
        shape=coefficients[..., :n_shape, :],
        expression=coefficients[..., n_shape:, :],
    )


def parse_param(param: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return (s·R (3, 3), t (3, 1), shape (S, 1), expression (E, 1)) of one vector.

    The name and order that users of the reference know; see `split_params`.
    """
    parts = split_params(param)
    return parts.linear, parts.offset, parts.shape, parts.expression


@dataclass(frozen=True)
class ParameterScale:
    """Mean and standard deviation that the network's output is normalized with.

    Attributes
    ----------
    mean, std : ndarray, shape (62 | 72 | 141,), float32
        The parameters are ``output * std + mean``.
    reference_rules : bool
        From a file in the reference's format: weights need not say that they belong to it.
    """

    mean: FloatArray
    std: FloatArray
    reference_rules: bool = False

    @cached_property
    def id(self) -> str:
        """SHA-256 over mean and std."""
        return array_id(mean=self.mean, std=self.std)

    def denormalize(self, output: FloatArray) -> FloatArray:
        """Turn network outputs of shape (n, P) into parameters."""
        return output * self.std + self.mean

    def normalize(self, params: FloatArray) -> FloatArray:
        """Turn parameters of shape (n, P) into network outputs."""
        return (params - self.mean) / self.std


def load_parameter_scale(path: str | Path) -> ParameterScale:
    """Load mean and std from ``.npz`` (ours) or ``.pkl`` (the reference's).

    Raises
    ------
    InputError
        If the file is unreadable, lacks a key, or holds vectors of an unknown length.
    """
    path = Path(path)
    if path.suffix == ".npz":
        data: Any = load_npz(path)
    else:
        data = load_arrays(path)
    try:
        mean, std = (np.asarray(data[key], np.float32).ravel() for key in ("mean", "std"))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"'{path}': expected the keys mean and std") from error
    if mean.shape != std.shape or mean.size not in LAYOUTS:
        raise InputError(
            f"'{path}': expected mean and std of one length out of {sorted(LAYOUTS)}, "
            f"got {mean.size} and {std.size}"
        )
    if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
        raise InputError(f"'{path}': expected finite values and a positive std")
    return ParameterScale(mean, std, path.suffix != ".npz")
