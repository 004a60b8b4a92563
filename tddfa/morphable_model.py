"""The 3D morphable face model: S(a, b) = u + W_shp·a + W_exp·b."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.ibug68 import N_LANDMARKS
from tddfa.io.mapped_arrays import take_rows
from tddfa.params import FloatArray
from tddfa.topology import Topology
from tddfa.weight_labels import array_id

IntArray = npt.NDArray[np.int32]
TILE_SIZE = 64  # vertices; the kernel's, which refuses any other
_INT16_MAX = 32767


@dataclass(frozen=True)
class MorphableModel:
    """Linear model of face shapes, as arrays.

    Axes: x to the picture's right (the subject's left), y up, z towards the viewer. Units are the
    model's own (the camera's scale takes them to pixels).

    Attributes
    ----------
    u : ndarray, shape (3N, 1), float32
        Mean shape, x, y, z of a vertex interleaved.
    w_shp : ndarray, shape (3N, S), float32 or float16
        Shape basis.
    w_exp : ndarray, shape (3N, E), float32 or float16
        Expression basis.
    tri : Topology, shape (M, 3), int32
        Triangles, 0-based, with NCC code and texture coordinates.
    keypoints : ndarray, shape (204,), int32
        Rows of `u` that are x, y, z of the 68 iBUG landmarks.
    mirror : ndarray, shape (N,), int32, or None
        Each vertex's mirror partner.
    exp_names : tuple of str
        Names of the expression components, where the model names them.
    exp_range : ndarray, shape (E, 2), float32, or None
        Useful range of each expression coefficient.
    regions : dict
        Vertex indices by region name (``left_eye``, ``nose``, …), where the model has them.
    reference_rules : bool
        The model is the reference's or in its format: the ROI around all its vertices is that of
        their own bounding box, and weights for it need not say which model they belong to.
    """

    u: FloatArray
    w_shp: npt.NDArray[np.floating]
    w_exp: npt.NDArray[np.floating]
    tri: Topology
    keypoints: IntArray
    mirror: IntArray | None = None
    exp_names: tuple[str, ...] = ()
    exp_range: FloatArray | None = None
    regions: dict[str, IntArray] = field(default_factory=dict)
    reference_rules: bool = False

    def __post_init__(self) -> None:
        size = self.u.shape[0]
        if self.u.shape != (size, 1) or size % 3 or not size:
            raise InputError(f"face model: expected u of shape (3N, 1), got {self.u.shape}")
        for name in ("w_shp", "w_exp"):
            shape = getattr(self, name).shape
            if len(shape) != 2 or shape[0] != size:
                raise InputError(f"face model: expected {name} of shape ({size}, K), got {shape}")
        if self.tri.ndim != 2 or self.tri.shape[1] != 3:
            raise InputError(f"face model: expected tri of shape (M, 3), got {self.tri.shape}")
        if self.keypoints.shape != (3 * N_LANDMARKS,):
            raise InputError(
                f"face model: expected {3 * N_LANDMARKS} keypoints, got {self.keypoints.shape}"
            )
        self._check_indices("tri", self.tri, self.n_vertices)
        self._check_indices("keypoints", self.keypoints, size)
        for name, array, shape in (
            ("ncc_code", self.tri.ncc_code, (3, self.n_vertices)),
            ("uv", self.tri.uv_if_loaded, (self.n_vertices, 2)),
            ("inside", self.tri.inside, (self.n_vertices,)),
            ("mirror", self.mirror, (self.n_vertices,)),
        ):
            if array is not None and array.shape != shape:
                raise InputError(f"face model: expected {name} of {shape}, got {array.shape}")

    @staticmethod
    def _check_indices(name: str, indices: IntArray, limit: int) -> None:
        if indices.size and (indices.min() < 0 or indices.max() >= limit):
            raise InputError(f"face model: expected indices of {name} in 0..{limit - 1}")

    @property
    def n_vertices(self) -> int:
        """Number of vertices N."""
        return self.u.shape[0] // 3

    @cached_property
    def id(self) -> str:
        """SHA-256 over mean shape and bases: all that parameters refer to."""
        return array_id(u=self.u, w_shp=self.w_shp, w_exp=self.w_exp)

    @cached_property
    def landmark_vertices(self) -> IntArray:
        """Vertex of each of the 68 iBUG landmarks, (68,)."""
        return self.keypoints.reshape(N_LANDMARKS, 3)[:, 0] // 3

    @cached_property
    def dense(self) -> "Basis":
        """Mean and basis of all vertices, in the layout that reconstruction reads fastest."""
        return _planar(self, np.arange(self.n_vertices))

    @cached_property
    def sparse(self) -> "Basis":
        """Mean and basis of the 68 landmarks."""
        return self.part(self.landmark_vertices)

    def part(self, vertices: npt.NDArray[np.integer]) -> "Basis":
        """Return mean and basis of some vertices; no others are read."""
        return _planar(self, vertices)


@dataclass(frozen=True)
class Basis:
    """Mean and basis by component, then axis, then vertex.

    Attributes
    ----------
    mean : ndarray, shape (3, N), float32
    components : ndarray, shape (S + E, 3, N), float32
    n_shape : int
        Number S of shape components; the others are expression.
    """

    mean: FloatArray
    components: FloatArray
    n_shape: int

    @cached_property
    def packed(self) -> "PackedBasis":
        """The basis as 16-bit integers, in the order in which dense reconstruction reads it."""
        n_components, _, n_vertices = self.components.shape
        n_tiles = -(-n_vertices // TILE_SIZE)
        mean = np.zeros((3, n_tiles * TILE_SIZE), np.float32)
        mean[:, :n_vertices] = self.mean
        # On a cache line's edge, so that no load of a vector touches two of them.
        store = np.zeros(n_tiles * 3 * n_components * TILE_SIZE // 2 + 16, np.int32)
        first = -store.ctypes.data % 64 // store.itemsize
        tiles = store[first : store.size - 16 + first].reshape(n_tiles, 3, n_components, -1)
        scale = np.zeros((3, n_components), np.float32)
        row = np.zeros(n_tiles * TILE_SIZE, np.float32)
        # Of each 32 vertices the first half lies in the lower, the second in the upper 16 bits.
        halves = row.reshape(n_tiles, -1, 2, 16)
        lines = tiles.reshape(n_tiles, 3, n_components, -1, 16)
        for k, axis in product(range(n_components), range(3)):
            values = self.components[k, axis]
            step = max(float(values.max()), -float(values.min())) / _INT16_MAX
            if step > 0:
                np.divide(values, np.float32(step), out=row[:n_vertices])
                steps = np.rint(halves, out=halves).astype(np.int32)
                lines[:, axis, k] = steps[:, :, 1] << 16 | steps[:, :, 0] & 0xFFFF
                scale[axis, k] = step
        by_tile = mean.reshape(3, n_tiles, TILE_SIZE).transpose(1, 0, 2)
        return PackedBasis(np.ascontiguousarray(by_tile), tiles, scale)


@dataclass(frozen=True, eq=False)
class PackedBasis:
    """Mean and basis by tile of vertices, then axis, then component; zeros fill the last tile.

    Half of float32's bytes and, with a step for each component and axis, 16 times closer to it than
    float16 where the component is largest: the error in a picture stays below a hundredth of a
    pixel for a face as large as the picture.

    Attributes
    ----------
    mean : ndarray, shape (tiles, 3, 64), float32
    tiles : ndarray, shape (tiles, 3, S + E, 32), int32
        Basis in steps of 16 bits, two of them in each number, as ``_reconstruct.h`` reads them.
    scale : ndarray, shape (3, S + E), float32
        Size of a step.
    """

    mean: FloatArray
    tiles: IntArray
    scale: FloatArray


def _planar(model: MorphableModel, vertices: npt.NDArray[np.integer]) -> Basis:
    n_shape, n_exp = model.w_shp.shape[1], model.w_exp.shape[1]
    components = np.empty((n_shape + n_exp, 3, len(vertices)), np.float32)
    whole = np.array_equal(vertices, np.arange(model.n_vertices))
    for basis, planes in ((model.w_shp, components[:n_shape]), (model.w_exp, components[n_shape:])):
        if whole:  # one that is mapped from a file may begin at any byte
            by_vertex = np.require(basis, requirements="A").reshape(-1, 3, basis.shape[1])
        else:
            rows = (vertices[:, None] * 3 + np.arange(3)).ravel()
            by_vertex = take_rows(basis, rows).reshape(-1, 3, basis.shape[1])
        # Piece by piece, each within the cache: a quarter of the time of one transposition.
        for first in range(0, len(vertices), 256):
            part = slice(first, first + 256)
            planes[:, :, part] = by_vertex[part].transpose(2, 1, 0)
    mean = np.ascontiguousarray(model.u.reshape(-1, 3)[vertices].T, np.float32)
    return Basis(mean, components, n_shape)
