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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.ibug68 import MIRROR
from tddfa.morphable_model import Basis, MorphableModel
from tddfa.params import LAYOUTS, N_CAMERA, FloatArray
from tddfa.reconstruct import Reconstructor

__all__ = [
    "ParameterMirror",
    "landmarks_apart",
    "mirror_errors",
    "mirrored_crops",
    "mirrored_parts",
    "parameter_mirror",
    "solved_mirror",
]

# How well a shape's mirror image is to be told, in parts of the basis. The open face model's is
# told exactly; one that somebody fitted may leave a little.
_MOST_ERROR = 0.01
# Vertices that are looked at besides the landmarks.
_SPREAD = 128
# A face of no size is no face; so small it is far from everything.
_LEAST_SIZE = 1e-6
_AROUND = np.array([-1.0, 1.0, 1.0], np.float32)[:, None]  # D

DoubleArray = npt.NDArray[np.float64]


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


def landmarks_apart(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Return how far two answers for each face are apart, in parts of the face's size.

    Parameters
    ----------
    first, second : array_like, shape (n, 2 | 3, K)
        Landmarks, in the same order and frame.

    Returns
    -------
    ndarray, shape (n,), float32
        Mean distance in (x, y) over the root of the area of the first one's bounding box; infinite
        where either is no number.

    Examples
    --------
    >>> face = np.array([[[0.0, 100, 50], [0, 0, 100]]])
    >>> landmarks_apart(face, face + 4).round(3).tolist()
    [0.05700000002980232]
    """
    one, other = (np.asarray(points, np.float64)[:, :2] for points in (first, second))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.linalg.norm(one - other, axis=1).mean(axis=1)
        sides = np.ptp(one, axis=2) if one.size else np.ones((len(one), 2))
        distances = apart / np.maximum(np.sqrt(sides.prod(axis=1)), _LEAST_SIZE)
        return np.where(np.isfinite(distances), distances, np.inf).astype(np.float32)


def mirror_errors(reconstructor: Reconstructor, looks: FloatArray, size: int) -> FloatArray:
    """Return how far the landmarks of crops and of their mirror images are apart.

    Parameters
    ----------
    reconstructor : Reconstructor
        Of a face model of any format: the landmarks themselves are turned around.
    looks : ndarray, shape (2n, 12 + C), float32
        De-normalized parameters of n crops, then those of their mirror images.
    size : int
        Side of the crops in pixels.

    Returns
    -------
    ndarray, shape (n,), float32
        See `landmarks_apart`.
    """
    square = [0.0, 0.0, float(size), float(size)]
    landmarks = np.stack(reconstructor(list(looks), [square] * len(looks)))
    straight, mirrored = np.split(landmarks, 2)
    mirrored = mirrored[:, :, MIRROR]
    mirrored[:, 0] = size - 1 - mirrored[:, 0]  # of pixel centers, as reconstructed
    return landmarks_apart(straight, mirrored)


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
    if not _near(here.mean, _AROUND * there.mean):
        return None
    n_shape, n_expression = LAYOUTS[num_params]
    if n_shape > here.n_shape or n_expression > len(here.components) - here.n_shape:
        return None
    parts = mirrored_parts(here, there, n_shape, n_expression)
    if not all(np.isfinite(array).all() for pair in parts for array in pair):
        return None
    matrix = solved_mirror(parts)
    start = 0
    for rows, wanted in parts:
        part = slice(start, start := start + rows.shape[1])
        if not _near(rows @ matrix[part, part], wanted):
            return None
    return ParameterMirror(matrix.astype(np.float32), size)


def mirrored_parts(
    here: Basis, there: Basis, n_shape: int, n_expression: int
) -> list[tuple[DoubleArray, DoubleArray]]:
    """Return the first components of shape, then of expression, as they are and as mirrored ones.

    Parameters
    ----------
    here, there : Basis
        Of K vertices, and of their mirror partners.
    n_shape, n_expression : int
        So many of each.

    Returns
    -------
    list of two pairs of ndarrays, shape (3K, n_shape) and (3K, n_expression), float64
    """
    turned = _AROUND * there.components
    return [
        (
            here.components[first : first + count].reshape(count, -1).T.astype(np.float64),
            turned[first : first + count].reshape(count, -1).T.astype(np.float64),
        )
        for first, count in ((0, n_shape), (here.n_shape, n_expression))
    ]


def solved_mirror(parts: Sequence[tuple[DoubleArray, DoubleArray]]) -> DoubleArray:
    """Return Q (C, C), shape and expression each for itself, of what `mirrored_parts` gave."""
    sizes = [rows.shape[1] for rows, _ in parts]
    matrix = np.zeros((sum(sizes),) * 2)
    start = 0
    for rows, wanted in parts:
        part = slice(start, start := start + rows.shape[1])
        matrix[part, part] = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    return matrix


def _near(found: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> bool:
    """Tell whether two arrays are the same but for what 16 bits leave; false if any is NaN."""
    return bool(np.linalg.norm(found - wanted) <= _MOST_ERROR * np.linalg.norm(wanted))
