"""From parameters to vertices in picture pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from Sim3DR.threads import share
from tddfa._reconstruct import GROUP_SIZE
from tddfa._reconstruct import reconstruct as _reconstruct
from tddfa.errors import InputError
from tddfa.morphable_model import Basis, MorphableModel
from tddfa.params import LAYOUTS, N_CAMERA, FaceParameters, FloatArray, split_params

# Up to as many vertices a plain product is faster than anything that has to be set up, and exact.
_MAX_PLAIN = 1024
# Vertices times faces that are worth a thread: it takes as long to start as to do half of them.
_MIN_BAND = 40_000


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
    boxes = np.asarray(roi_boxes, np.float64).reshape(-1, 4).tolist()
    # Numbers of Python: for the few faces of a picture faster than as many calls of NumPy.
    rows = []
    for (left, top, right, bottom), linear, offset in zip(
        boxes, params.linear.tolist(), params.offset.tolist(), strict=True
    ):
        x, y = (right - left) / size, (bottom - top) / size
        z = (x + y) / 2
        scales, shifts = (x, -y, z), (left - x, top + y * size, -z)
        for scale, shift, (a, b, c), (d,) in zip(scales, shifts, linear, offset, strict=True):
            rows.append((a * scale, b * scale, c * scale, d * scale + shift))
    return np.array(rows, np.float32).reshape(-1, 3, 4)


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
    return _vertices(basis, _coefficients(basis, params), cameras, n_threads)


def _vertices(basis: Basis, alpha: FloatArray, cameras: FloatArray, n_threads: int) -> FloatArray:
    n_faces, n_vertices = len(alpha), basis.mean.shape[1]
    cameras = np.ascontiguousarray(cameras, np.float32)
    if cameras.shape != (n_faces, 3, 4):
        raise InputError(f"cameras: expected shape ({n_faces}, 3, 4), got {cameras.shape}")
    vertices = np.empty((n_faces, 3, n_vertices), np.float32)
    fill = _fill_small if n_vertices <= _MAX_PLAIN or not alpha.size else _fill
    fill(basis, alpha, cameras, vertices, n_threads)
    return vertices


def _fill_small(
    basis: Basis, alpha: FloatArray, cameras: FloatArray, out: FloatArray, n_threads: int
) -> None:
    """Reconstruct few vertices; a stack of products, so that a face is the same among others."""
    flat = basis.components.reshape(alpha.shape[1], basis.mean.size)
    shapes = (alpha[:, None] @ flat).reshape(len(alpha), *basis.mean.shape)
    shapes += basis.mean
    np.matmul(cameras[:, :, :3], shapes, out=out)
    out += cameras[:, :, 3:]
    depth = out[:, 2]
    depth -= np.minimum.reduce(depth, axis=1, keepdims=True)  # min() asks Python for the same


def _fill(
    basis: Basis, alpha: FloatArray, cameras: FloatArray, out: FloatArray, n_threads: int
) -> None:
    """Reconstruct all vertices, groups of faces in one pass over the packed basis each."""
    packed = basis.packed
    weights = np.ascontiguousarray(packed.scale[:, None] * alpha)
    n_tiles = len(packed.tiles)
    for start in range(0, len(alpha), GROUP_SIZE):
        group = slice(start, start + GROUP_SIZE)
        part, faces = np.ascontiguousarray(weights[:, group]), out[group]
        n_bands = max(1, min(n_threads, n_tiles, faces.size // 3 // _MIN_BAND))
        edges = [n_tiles * band // n_bands for band in range(n_bands + 1)]
        arguments = (packed.mean, packed.tiles, part, cameras[group], faces)
        share(partial(_reconstruct, *arguments), pairwise(edges), n_bands)
    depth = out[:, 2]
    depth -= np.minimum.reduce(depth, axis=1, keepdims=True)  # min() asks Python for the same


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
        if len(params) == len(roi_boxes) == 1:  # views: stacking one takes as long as its product
            vectors = np.asarray(params[0], np.float32)[None]
            boxes = np.asarray(roi_boxes[0])[None]
        else:
            vectors = np.stack([np.asarray(param, np.float32) for param in params])
            boxes = np.stack([np.asarray(box) for box in roi_boxes])
        parts = split_params(vectors)
        cameras = image_cameras(parts, boxes, self.size)
        basis = self.model.dense if dense else self.model.sparse
        layout = basis.n_shape, len(basis.components) - basis.n_shape
        if LAYOUTS[vectors.shape[1]] == layout:  # laid out as the components are: nothing to copy
            alpha = vectors[:, N_CAMERA:]
        else:
            alpha = _coefficients(basis, parts)
        return list(_vertices(basis, alpha, cameras, self.n_threads))
