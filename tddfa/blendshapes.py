"""ARKit's 52 blendshapes on the face model's mesh: sparse displacements, and fits of them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from tddfa.arkit52 import NAMES
from tddfa.assets import find_asset
from tddfa.errors import InputError
from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray, split_params

FORMAT_VERSION = 1
FILE = "configs/blendshapes.npz"
# Ridge and lasso of fits, in parts of each blendshape's squared size: movements that would do the
# same share it, and what explains nothing stays at 0.
_RIDGE, _LASSO = 3e-2, 1e-2
_SWEEPS = 60


def mesh_id(tri: npt.ArrayLike) -> str:
    """Return the SHA-256 of a mesh's triangles (M, 3): what displacements of vertices belong to.

    Either winding gives the same.
    """
    corners = np.sort(np.asarray(tri, "<i4"), axis=1)
    return hashlib.sha256(np.ascontiguousarray(corners).tobytes()).hexdigest()


@dataclass(frozen=True, eq=False)
class Blendshapes:
    """Displacements of a mesh's vertices in mm, x to the subject's left, y up, z to the viewer.

    Attributes
    ----------
    n_vertices : int
        Vertices N of the mesh.
    first : ndarray, shape (53,), int
        Rows ``first[k]:first[k + 1]`` belong to the blendshape ``NAMES[k]``.
    vertices : ndarray, shape (R,), int64
        Vertex of each row, rising within a blendshape.
    moves : ndarray, shape (R, 3), float32
        Movement at coefficient 1.
    mesh : str
        `mesh_id` of the mesh.

    Examples
    --------
    >>> shapes = load_blendshapes()
    >>> vertices, moves = shapes["jawOpen"]
    >>> len(vertices) > 1000, bool(moves[:, 1].min() < -20), len(shapes["tongueOut"][0])
    (True, True, 0)
    """

    n_vertices: int
    first: npt.NDArray[np.integer]
    vertices: npt.NDArray[np.int64]
    moves: FloatArray
    mesh: str

    def __getitem__(self, name: str) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Return the vertices (r,) that a blendshape moves, and their movements (r, 3) in mm."""
        k = NAMES.index(name)
        rows = slice(self.first[k], self.first[k + 1])
        return self.vertices[rows], self.moves[rows]

    def displacement(self, coefficients: npt.ArrayLike) -> FloatArray:
        """Return the movement of all vertices (N, 3) in mm at coefficients (52,)."""
        weights = np.asarray(coefficients, np.float32)
        if weights.shape != (len(NAMES),):
            raise InputError(
                f"blendshapes: expected {len(NAMES)} coefficients, got {weights.shape}"
            )
        out = np.zeros((self.n_vertices, 3), np.float32)
        for name, weight in zip(NAMES, weights, strict=True):
            if weight:
                vertices, moves = self[name]
                out[vertices] += weight * moves
        return out

    def belong_to(self, model: MorphableModel) -> bool:
        """Tell whether these are displacements of a face model's mesh."""
        return self.n_vertices == model.n_vertices and self.mesh == mesh_id(model.tri)

    @cached_property
    def gram(self) -> npt.NDArray[np.float64]:
        """Products (52, 52) of the displacements with one another, in mm²."""
        dense = self.matrix
        return dense @ dense.T

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """All displacements, (52, 3N) in mm; 50 MB."""
        out = np.zeros((len(NAMES), self.n_vertices, 3))
        for k, name in enumerate(NAMES):
            vertices, moves = self[name]
            out[k, vertices] = moves
        return out.reshape(len(NAMES), -1)


@dataclass(frozen=True, eq=False)
class ExpressionFit:
    """Blendshape coefficients nearest to the expression that a face model's parameters describe.

    The ten components of expression hold less than 52 blendshapes: this is what coefficients are
    taken from where no network has been asked for them. Gaze is 0.

    Attributes
    ----------
    gram : ndarray, shape (52, 52)
        Products of the displacements.
    products : ndarray, shape (52, E)
        Products of the displacements with the model's components of expression.
    """

    gram: npt.NDArray[np.float64]
    products: npt.NDArray[np.float64]

    @classmethod
    def of(cls, shapes: Blendshapes, model: MorphableModel) -> "ExpressionFit":
        """Prepare fits for a face model."""
        return cls(shapes.gram, shapes.matrix @ model.w_exp.astype(np.float64))

    def __call__(self, params: npt.ArrayLike) -> FloatArray:
        """Return coefficients (n, 52) in [0, 1] of parameters (n, 62) or (62,)."""
        expression = split_params(np.atleast_2d(np.asarray(params, np.float32))).expression[..., 0]
        return bounded_fit(self.gram, expression @ self.products.T[: expression.shape[1]])


def fit_of(model: MorphableModel) -> ExpressionFit:
    """Return fits of the shipped blendshapes for a face model.

    Raises
    ------
    InputError
        If they belong to another mesh.
    """
    shapes = load_blendshapes()
    if not shapes.belong_to(model):
        raise InputError(
            "blendshapes: expected the open face model (configs/face_model.npz), whose mesh they "
            "belong to"
        )
    return ExpressionFit.of(shapes, model)


def bounded_fit(gram: npt.NDArray[np.float64], products: npt.NDArray[np.float64]) -> FloatArray:
    """Minimize ``|B·w - d|²`` over w in [0, 1], with a small ridge and lasso, for n targets d.

    Coordinate descent, all targets at once. mouthClose, which takes lips together that an open jaw
    has parted, stays at or below jawOpen; gaze (eyeLook…) stays 0, for lids that follow it look
    like half a blink.

    Parameters
    ----------
    gram : ndarray, shape (52, 52)
        BᵀB.
    products : ndarray, shape (n, 52)
        Bᵀd of each target.

    Returns
    -------
    ndarray, shape (n, 52), float32
    """
    size = np.diag(gram)
    a = gram + np.diag(_RIDGE * size)
    b = products - _LASSO * size
    weights = np.zeros_like(b)
    jaw, close = NAMES.index("jawOpen"), NAMES.index("mouthClose")
    gaze = [name.startswith("eyeLook") for name in NAMES]
    moving = [k for k in range(len(NAMES)) if size[k] > 0 and not gaze[k]]
    for _ in range(_SWEEPS):
        for k in moving:
            step = (b[:, k] - weights @ a[k]) / a[k, k]
            weights[:, k] = np.clip(weights[:, k] + step, 0, weights[:, jaw] if k == close else 1)
    return weights.astype(np.float32)


def load_blendshapes(path: str | Path = FILE) -> Blendshapes:
    """Read a file of blendshapes; by default the shipped one, of the open face model.

    Raises
    ------
    InputError
        If there is no such file or it is not one of blendshapes.
    """
    found = find_asset(path)
    try:
        with np.load(found) as file:
            if int(file["format_version"]) != FORMAT_VERSION:
                raise ValueError(f"format {int(file['format_version'])}")
            if tuple(file["names"].tolist()) != NAMES:
                raise ValueError("names other than ARKit's")
            first, vertices = file["first"], file["vertices"].astype(np.int64)
            scale = np.repeat(file["mm_per_step"], np.diff(first))
            moves = file["steps"].astype(np.float32) * scale[:, None]
            n_vertices, mesh = int(file["n_vertices"]), str(file["mesh"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile) as error:
        raise InputError(f"{found}: expected a file of blendshapes ({error})") from error
    good = len(first) == len(NAMES) + 1 and first[-1] == len(vertices) == len(moves)
    if not good or (len(vertices) and vertices.max() >= n_vertices):
        raise InputError(f"{found}: expected a file of blendshapes, got indices beyond the mesh")
    return Blendshapes(n_vertices, first, vertices, moves, mesh)
