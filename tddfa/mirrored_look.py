r"""Look at a face and at its mirror image, and take the mean.

A network errs a little differently in a mirror; in the mean of both what is chance halves, and what
is lopsided goes. The parameters of a mirror image convert exactly where the face model is closed
under mirroring, as the open one is::

    crop          mirrored          D = diag(-1, 1, 1): x turned around
    +-----+       +-----+           L, t: linear part (3, 3) and translation of the camera
    | /)  |       |  (\ |           Q: coefficients of a shape to those of its mirror image
    +-----+       +-----+
       |             |              L = D·L'·D    t_x = (size + 1) - t_x'    a = Q·a'
     p     mean     p'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.ibug68 import MIRROR
from tddfa.morphable_model import MorphableModel
from tddfa.params import LAYOUTS, N_CAMERA, FloatArray

__all__ = ["ParameterMirror", "mirrored_crops", "parameter_mirror"]

# How well a shape's mirror image is to be told, in parts of the basis. The open face model's is
# told exactly; one that somebody fitted may leave a little.
_MOST_ERROR = 0.01
# Vertices that are looked at besides the landmarks.
_SPREAD = 128


@dataclass(frozen=True, eq=False)
class ParameterMirror:
    """What turns the parameters of a face into those of its mirror image.

    Attributes
    ----------
    matrix : ndarray, shape (C, C), float32
        Q: ``matrix @ coefficients`` are those of the mirror image.
    size : int
        Side of the network's input in pixels.
    """

    matrix: FloatArray
    size: int

    def __call__(self, params: npt.ArrayLike) -> FloatArray:
        """Return the parameters of faces seen in a mirror.

        Parameters
        ----------
        params : array_like, shape (n, 12 + C)
            De-normalized parameters in the frame of the crop.

        Returns
        -------
        ndarray, of the same shape, float32
        """
        found = np.array(params, np.float32)
        camera = found[:, :N_CAMERA].reshape(-1, 3, 4)
        camera[:, 0] *= -1
        camera[:, :, 0] *= -1
        camera[:, 0, 3] += self.size + 1
        found[:, N_CAMERA:] = found[:, N_CAMERA:] @ self.matrix.T
        return found


def mirrored_crops(crops: FloatArray) -> FloatArray:
    """Return network inputs (n, 3, size, size) as a mirror shows them."""
    return np.ascontiguousarray(crops[..., ::-1])


def parameter_mirror(
    model: MorphableModel, size: int = 120, num_params: int = 62
) -> ParameterMirror | None:
    """Return what mirrors the parameters of a face model, None where it is not symmetric.

    Parameters
    ----------
    model : MorphableModel
        Its landmarks and some vertices spread over the mesh are looked at: Q is solved on them,
        shape and expression each for itself.
    size : int
        Side of the network's input in pixels.
    num_params : int
        Length of the parameter vector, which may leave out the model's last components.

    Returns
    -------
    ParameterMirror or None
        None if the model names no mirror partners, if its landmarks are none of each other's, if
        its mean shape is not symmetric about x = 0, or if its bases are not closed under mirroring.
    """
    landmarks = model.landmark_vertices
    if model.mirror is None or not np.array_equal(model.mirror[landmarks], landmarks[MIRROR]):
        return None
    spread = np.linspace(0, model.n_vertices - 1, _SPREAD).astype(np.int32)
    vertices = np.concatenate([landmarks, spread])
    here, there = model.part(vertices), model.part(model.mirror[vertices])
    around = np.array([-1.0, 1.0, 1.0])[:, None]
    if not _near(here.mean, around * there.mean):
        return None
    n_shape, n_expression = LAYOUTS[num_params]
    first = model.w_shp.shape[1]
    if n_shape > first or n_expression > model.w_exp.shape[1]:
        return None
    matrix = np.zeros((n_shape + n_expression,) * 2, np.float32)
    for start, end, offset in (
        (0, n_shape, 0),
        (n_shape, n_shape + n_expression, first - n_shape),
    ):
        part = slice(start + offset, end + offset)
        rows, wanted = (
            array[part].reshape(end - start, -1).T.astype(np.float64)
            for array in (here.components, around * there.components)
        )
        if not (np.isfinite(rows).all() and np.isfinite(wanted).all()):
            return None
        solution = np.linalg.lstsq(rows, wanted, rcond=None)[0]
        if not _near(rows @ solution, wanted):
            return None
        matrix[start:end, start:end] = solution
    return ParameterMirror(matrix, size)


def _near(found: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> bool:
    """Tell whether two arrays are the same but for what 16 bits leave; false if any is NaN."""
    return bool(np.linalg.norm(found - wanted) <= _MOST_ERROR * np.linalg.norm(wanted))
