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

import numpy as np
import numpy.typing as npt

from tddfa.ibug68 import MIRROR
from tddfa.morphable_model import MorphableModel
from tddfa.params import N_CAMERA, FloatArray

__all__ = ["ParameterMirror", "mirrored_crops", "parameter_mirror"]

# How well a shape's mirror image is to be told, in parts of the basis; the open face model's is
# told to 1e-3, which is what its numbers of 16 bits leave.
_MOST_ERROR = 0.01


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


def parameter_mirror(model: MorphableModel, size: int = 120) -> ParameterMirror | None:
    """Return what mirrors the parameters of a face model, None where it is not symmetric.

    Parameters
    ----------
    model : MorphableModel
        Q is solved on its 68 landmarks, shape and expression each for itself.
    size : int
        Side of the network's input in pixels.

    Returns
    -------
    ParameterMirror or None
        None if the model names no mirror partners, if its landmarks are none of each other's, or if
        its bases are not closed under mirroring.
    """
    vertices = model.landmark_vertices
    if model.mirror is None or not np.array_equal(model.mirror[vertices], vertices[MIRROR]):
        return None
    basis = model.sparse.components.astype(np.float64)  # component, axis, landmark
    image = basis[:, :, MIRROR] * np.array([-1.0, 1.0, 1.0])[:, None]
    n_components, n_shape = len(basis), model.sparse.n_shape
    matrix = np.zeros((n_components, n_components))
    for part in (slice(0, n_shape), slice(n_shape, n_components)):
        rows, wanted = (array[part].reshape(len(array[part]), -1).T for array in (basis, image))
        matrix[part, part] = np.linalg.lstsq(rows, wanted, rcond=None)[0]
        left = np.linalg.norm(rows @ matrix[part, part] - wanted)
        if left > _MOST_ERROR * np.linalg.norm(wanted):
            return None
    return ParameterMirror(matrix.astype(np.float32), size)
