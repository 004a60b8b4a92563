"""From parameters to vertices in picture pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from Sim3DR.threads import share
from tddfa._reconstruct import reconstruct as _reconstruct
from tddfa.errors import InputError
from tddfa.morphable_model import Basis, MorphableModel
from tddfa.params import FaceParameters, FloatArray, split_params

# Fewer vertices than this are not worth a second thread.
_MIN_BAND = 4096


def image_cameras(params: FaceParameters, roi_boxes: npt.ArrayLike, size: int) -> FloatArray:
    """Compose each face's camera with the map from its crop to the picture.

    The crop's frame has y up, counted from its lower edge, and x and z 1-based; the picture's has y
    down and everything 0-based::

        x_img = (x - 1)·sx + xmin    y_img = (size - y)·sy + ymin    z_img = (z - 1)·(sx + sy)/2

    Parameters
    ----------
    params : FaceParameters
        Parts of n parameter vectors.
    roi_boxes : array_like, shape (n, 4)
        ``[xmin, ymin, xmax, ymax]`` in pixels.
    size : int
        Side of the network's input.

    Returns
    -------
    ndarray, shape (n, 3, 4), float32
        Affine maps from model units to picture pixels, up to the shift along z.
    """
    boxes = np.asarray(roi_boxes, np.float64).reshape(-1, 4)
    cameras = np.concatenate([params.linear, params.offset], axis=-1).astype(np.float64)
    scale = np.empty((len(boxes), 3))
    scale[:, :2] = (boxes[:, 2:] - boxes[:, :2]) / size
    scale[:, 2] = scale[:, :2].mean(axis=1)
    cameras *= scale[:, :, None]
    cameras[:, 1] *= -1
    cameras[:, 0, 3] += boxes[:, 0] - scale[:, 0]
    cameras[:, 1, 3] += boxes[:, 1] + scale[:, 1] * size
    cameras[:, 2, 3] -= scale[:, 2]
    return cameras.astype(np.float32)


def reconstruct_vertices(
    basis: Basis, params: FaceParameters, cameras: FloatArray, *, n_threads: int = 1
) -> FloatArray:
    """Reconstruct the vertices of n faces in one pass over the basis.

    V = A·[u + W·α; 1] for every face, eq. 1 and 2 of Guo et al., ECCV 2020.

    Parameters
    ----------
    basis : Basis
        Mean and basis of the wanted vertices.
    params : FaceParameters
        Shape and expression coefficients of n faces. Fewer coefficients than the model has
        components stand for zeros in the rest.
    cameras : ndarray, shape (n, 3, 4), float32
        Affine maps A, see `image_cameras`.
    n_threads : int
        Threads over bands of vertices; the result does not depend on it.

    Returns
    -------
    ndarray, shape (n, 3, N), float32
        Picture pixels, y down; larger z is nearer and each face's smallest z is 0.

    Raises
    ------
    InputError
        If there are more coefficients than components.
    """
    alpha = _coefficients(basis, params)
    n_faces, n_vertices = len(alpha), basis.mean.shape[1]
    vertices = np.empty((n_faces, 3, n_vertices), np.float32)
    cameras = np.ascontiguousarray(cameras, np.float32)
    if cameras.shape != (n_faces, 3, 4):
        raise InputError(f"cameras: expected shape ({n_faces}, 3, 4), got {cameras.shape}")
    blocks = basis.blocks
    n_bands = max(1, min(n_threads, n_vertices // _MIN_BAND))
    edges = [len(blocks) * band // n_bands for band in range(n_bands + 1)]

    def fill(band: int) -> None:
        _reconstruct(basis.mean, blocks, alpha, cameras, vertices, edges[band], edges[band + 1])

    share(fill, [(band,) for band in range(n_bands)], n_bands)
    vertices[:, 2] -= vertices[:, 2].min(axis=1, keepdims=True)
    return vertices


def _coefficients(basis: Basis, params: FaceParameters) -> FloatArray:
    """Lay shape and expression coefficients out as the components are, (n, S + E)."""
    n_components, n_shape = len(basis.components), basis.n_shape
    n_faces, shape_given = params.shape.shape[:2]
    exp_given = params.expression.shape[1]
    if shape_given > n_shape or exp_given > n_components - n_shape:
        raise InputError(
            f"parameters: {shape_given} shape and {exp_given} expression coefficients, but the "
            f"face model has {n_shape} and {n_components - n_shape} components"
        )
    alpha = np.zeros((n_faces, n_components), np.float32)
    alpha[:, :shape_given] = params.shape[..., 0]
    alpha[:, n_shape : n_shape + exp_given] = params.expression[..., 0]
    return alpha


@dataclass(frozen=True, eq=False)
class Reconstructor:
    """What turns parameters and ROIs into vertices: the face model and the crop's size.

    Attributes
    ----------
    model : MorphableModel
    size : int
        Side of the network's input in pixels, to which the parameters refer.
    n_threads : int
        Threads of dense reconstruction.
    """

    model: MorphableModel
    size: int = 120
    n_threads: int = 1

    def __call__(
        self,
        params: Sequence[npt.ArrayLike],
        roi_boxes: Sequence[npt.ArrayLike],
        *,
        dense: bool = False,
    ) -> list[FloatArray]:
        """Return the 68 landmarks, or all vertices, of n faces, (3, 68 | N) each in pixels."""
        if not len(params):
            return []
        parts = split_params(np.stack([np.asarray(param, np.float32) for param in params]))
        cameras = image_cameras(parts, np.stack([np.asarray(b) for b in roi_boxes]), self.size)
        basis = self.model.dense if dense else self.model.sparse
        return list(reconstruct_vertices(basis, parts, cameras, n_threads=self.n_threads))
