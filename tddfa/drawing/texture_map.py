"""A mesh unrolled onto a square of texels, and what pictures show on it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from Sim3DR import rasterize_triangles
from tddfa.errors import InputError
from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray


@dataclass(frozen=True, eq=False)
class TextureMap:
    """A mesh unrolled onto a square of texels: which triangle each texel belongs to.

    Attributes
    ----------
    side : int
        Texels along a side.
    corners : ndarray, shape (T, 3), int32
        Vertices of the triangle at each covered texel.
    weights : ndarray, shape (T, 3), float32
        Their barycentric weights.
    covered : ndarray, shape (side, side), bool
        Texels that lie on the mesh; row 0 is v = 1.
    symmetric : bool
        Whether the right half is the left one's mirror image.
    cavity : ndarray, shape (side, side), float32
        1 in the mouth's inside, which is dark unless it is seen.
    """

    side: int
    corners: npt.NDArray[np.int32]
    weights: FloatArray
    covered: npt.NDArray[np.bool_]
    symmetric: bool
    cavity: FloatArray

    @classmethod
    def of(
        cls,
        uv: FloatArray,
        tri: npt.NDArray[np.int32],
        side: int,
        mirror: npt.NDArray[np.int32] | None = None,
        n_threads: int = 1,
        cavity: npt.NDArray[np.integer] | None = None,
    ) -> "TextureMap":
        """Unroll a mesh.

        Parameters
        ----------
        uv : ndarray, shape (N, 2)
            Texture coordinates in [0, 1], v up; 0 and 1 are centers of texels, as in `uv_tex`.
        tri : ndarray, shape (M, 3)
        side : int
        mirror : ndarray, shape (N,), optional
            Mirror partner of each vertex.
        cavity : ndarray of int, optional
            Vertices of the mouth's inside.
        """
        places = np.zeros((len(uv), 3), np.float32)
        places[:, 0] = uv[:, 0] * (side - 1)
        places[:, 1] = (1 - uv[:, 1]) * (side - 1)
        hit = rasterize_triangles(places, tri, side, side, n_threads=n_threads)
        covered = hit.triangle >= 0
        partner = None if mirror is None else uv[mirror] * (-1, 1) + (1, 0)
        symmetric = partner is not None and bool(np.abs(partner - uv).max() < 1e-3)
        corners = np.asarray(tri)[hit.triangle[covered]]
        inside = np.zeros(len(uv), np.float32)
        if cavity is not None:
            inside[cavity] = 1
        dark = np.zeros((side, side), np.float32)
        dark[covered] = (hit.weights[covered] * inside[corners]).sum(axis=1)
        return cls(side, corners, hit.weights[covered], covered, symmetric, dark)

    @classmethod
    def of_model(cls, model: MorphableModel, side: int, n_threads: int = 1) -> "TextureMap":
        """Unroll a face model's mesh.

        Raises
        ------
        InputError
            If the model has no texture coordinates.
        """
        if model.tri.uv is None:
            raise InputError("texture: expected a face model with texture coordinates")
        cavity = model.regions.get("mouth_inside")
        return cls.of(model.tri.uv, model.tri, side, model.mirror, n_threads, cavity)

    def spread(self, values: FloatArray) -> FloatArray:
        """Interpolate values (N, C) of vertices: (side, side, C), 0 off the mesh."""
        out = np.zeros((self.side, self.side, values.shape[1]), np.float32)
        out[self.covered] = np.einsum("tk,tkc->tc", self.weights, values[self.corners])
        return out


@dataclass(frozen=True, eq=False)
class SeenTexture:
    """What one picture, or several, show of a face.

    Attributes
    ----------
    colors : ndarray, shape (side, side, 3), float32
        BGR, 0 to 255.
    weights : ndarray, shape (side, side), float32
        How far a color is to be believed: 0 where nothing is seen.
    """

    colors: FloatArray
    weights: FloatArray
