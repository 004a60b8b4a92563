r"""A face's whole texture: what a picture shows of it, and good guesses where it shows nothing.

::

    picture + mesh        what is seen         mirrored where        the rest, smoothly
                          (z-buffer, not       the other half is     from its surroundings
      .---.               edge-on, not at      seen, light adapted
     (o  o )     ->       the outline)    ->   at the border     ->
      \ > /                 ##..              ####                  ####
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from Sim3DR import get_normal, rasterize_triangles
from tddfa.drawing.sampling import bilinear_colors
from tddfa.errors import InputError
from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.visibility import visible_vertices

# z of a vertex's unit normal between which a surface goes from not used to fully used: turned away
# more, a pixel covers so much skin that it smears.
_EDGE_ON, _FACING = 0.2, 0.45
# The same for the distance from the mesh's outline in parts of the face's size: a mesh that lies
# beside the face by that much paints background or hair on cheeks and ears.
_OUTLINE, _INSIDE = 0.02, 0.07
# The same within the face, where it stands before itself: the far side of the nose.
_BEFORE, _BESIDE = 0.006, 0.025
# Step in depth between neighboring pixels, in parts of the face's size, that is such an outline.
_STEP = 0.1
# Islands of what is seen, in parts of the map, that are left out: a spot of an ear.
_ISLAND = 0.01
# The mouth's inside where it is not seen, BGR.
_MOUTH = np.array([30, 24, 62], np.float32)
# Side of the drawing in which the distance to the outline is measured.
_SIDE = 256
# Added to weights where differences are averaged: far from any difference there is none.
_NO_DIFFERENCE = 1e-3


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


def seen_texture(
    image: ImageArray, vertices: FloatArray, tri: npt.NDArray[np.int32], unrolled: TextureMap
) -> SeenTexture:
    """Take a face's colors from a picture, where it shows them.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), uint8
    vertices : ndarray, shape (3, N), float32
        Pixels, y down, larger z nearer.
    tri : ndarray, shape (M, 3), int32
    unrolled : TextureMap
    """
    belief = vertex_belief(image.shape[:2], vertices, tri)
    places = unrolled.spread(np.column_stack([vertices[0], vertices[1], belief]))
    colors = np.zeros((*places.shape[:2], 3), np.float32)
    x, y = places[unrolled.covered][:, 0], places[unrolled.covered][:, 1]
    sampled = np.empty((len(x), 3), np.float32)
    bilinear_colors(image, x, y, 1.0, out=sampled)
    colors[unrolled.covered] = sampled
    return SeenTexture(colors, places[:, :, 2])


def vertex_belief(
    size: tuple[int, int], vertices: FloatArray, tri: npt.NDArray[np.int32]
) -> FloatArray:
    """Return how far each vertex's (N,) color in a picture of this size is to be believed, 0 to 1.

    1 is a surface that faces the viewer, is not hidden by the face itself and lies well within its
    outline.
    """
    points = np.ascontiguousarray(vertices.T)
    seen = visible_vertices(vertices, tri, size)
    # y points down, so that outward normals of the mesh's own winding point away from the viewer.
    toward = np.abs(get_normal(points, np.asarray(tri))[:, 2])
    facing = _ramp(toward, _EDGE_ON, _FACING)
    low, extent = points.min(0), float(np.ptp(points[:, :2], axis=0).max())
    if not np.isfinite(extent) or extent <= 0:
        return np.zeros(len(points), np.float32)
    drawn = (points - low) * np.float32((_SIDE - 5) / extent) + 2
    hit = rasterize_triangles(drawn, tri, _SIDE, _SIDE)
    mask = hit.triangle >= 0
    depth = np.where(mask, hit.depth, hit.depth[mask].min(initial=0))
    steps = cv2.dilate(depth, np.ones((3, 3))) - depth > _STEP * _SIDE
    column, row = np.clip(np.rint(drawn[:, :2]), 0, _SIDE - 1).astype(int).T
    inside = _ramp(_away(mask)[row, column], _OUTLINE, _INSIDE)
    inside *= _ramp(_away(~steps)[row, column], _BEFORE, _BESIDE)
    return np.asarray(seen * facing * inside, np.float32)


def complete_texture(seen: SeenTexture, unrolled: TextureMap) -> ImageArray:
    """Fill in what was not seen: from the other half, then from the surroundings.

    Parameters
    ----------
    seen : SeenTexture
    unrolled : TextureMap

    Returns
    -------
    ndarray, shape (side, side, 3), uint8
        BGR; texels off the mesh continue its border, so that interpolation finds no seam.
    """
    colors: FloatArray = seen.colors
    weights = _shrunk(seen.weights)
    if not weights.any():  # nothing but outline: what there is, is all there is
        weights = unrolled.covered.astype(np.float32)
    if unrolled.symmetric:
        other, other_weights = colors[:, ::-1], weights[:, ::-1]
        both = weights * other_weights
        # The light on both halves differs; where both are seen this is by how much. Carried on
        # smoothly it takes the mirrored half to this half's light, and there is no border.
        difference = _carry_on(colors - other, both, towards_zero=True)
        share = other_weights * (1 - weights)
        total = weights + share
        mixed = colors * weights[..., None] + (other + difference) * share[..., None]
        colors = np.asarray(mixed / np.maximum(total, 1e-6)[..., None], np.float32)
        weights = np.minimum(total, 1)
    rest = _carry_on(colors, weights)
    cavity = unrolled.cavity[..., None]
    rest = np.asarray(rest * (1 - cavity) + _MOUTH * cavity, np.float32)
    whole = colors * weights[..., None] + rest * (1 - weights[..., None])
    return np.clip(np.rint(whole), 0, 255).astype(np.uint8)


def face_texture(
    image: ImageArray,
    vertices: FloatArray,
    tri: npt.NDArray[np.int32],
    unrolled: TextureMap,
) -> ImageArray:
    """Return one face's whole texture from one picture, see `complete_texture`.

    Examples
    --------
    >>> from tddfa import FaceAligner
    >>> from tddfa.io.pictures import imread
    >>> image = imread("examples/inputs/astronaut.png")
    >>> face = FaceAligner()(image)[0]
    >>> model = face.model
    >>> unrolled = TextureMap.of_model(model, 256)
    >>> face_texture(image, face.vertices, model.tri, unrolled).shape
    (256, 256, 3)
    """
    return complete_texture(seen_texture(image, vertices, tri, unrolled), unrolled)


def whole_textures(
    image: ImageArray,
    faces: Sequence[FloatArray],
    model: MorphableModel,
    side: int,
    *,
    n_threads: int = 1,
) -> ImageArray:
    """Return the whole texture of each face, side by side on black.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), uint8
    faces : sequence of n ndarrays, shape (3, N), float32
        Vertices in pixels, y down.
    model : MorphableModel
        With texture coordinates.
    side : int
        Size of each texture in pixels.

    Returns
    -------
    ndarray, shape (side, n·side, 3), uint8

    Raises
    ------
    InputError
        If the model has no texture coordinates.
    """
    unrolled = TextureMap.of_model(model, side, n_threads)
    out = np.zeros((side, len(faces) * side, 3), np.uint8)
    for number, vertices in enumerate(faces):
        texture = face_texture(image, vertices, model.tri, unrolled)
        np.copyto(
            out[:, number * side : (number + 1) * side], texture, where=unrolled.covered[..., None]
        )
    return out


def _away(inside: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the distance of each pixel to the next one outside, in parts of the drawing's side."""
    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) / np.float32(_SIDE)


def _ramp(value: FloatArray, low: float, high: float) -> FloatArray:
    share = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _shrunk(weights: FloatArray) -> FloatArray:
    """Leave islands out, take the border of what is seen inwards a little, and soften it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((weights > 0).astype(np.uint8))
    large = stats[:, cv2.CC_STAT_AREA] >= _ISLAND * weights.size
    large[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if count > 1 else 0] = True
    weights = weights * large[labels]
    side = max(3, round(len(weights) / 64) | 1)
    return np.minimum(weights, cv2.blur(cv2.erode(weights, np.ones((side, side))), (side, side)))


def _carry_on(values: FloatArray, weights: FloatArray, *, towards_zero: bool = False) -> FloatArray:
    """Continue weighted values over the whole map, smoothly: a pyramid of weighted means.

    Down, each level averages what is known; up, what is missing is taken from the coarser level.
    """
    sums: list[FloatArray] = [np.asarray(values * weights[..., None], np.float32)]
    amounts: list[FloatArray] = [np.asarray(weights, np.float32)]
    while min(amounts[-1].shape) > 2:
        sums.append(np.asarray(cv2.pyrDown(sums[-1]), np.float32))
        amounts.append(np.asarray(cv2.pyrDown(amounts[-1]), np.float32))
    least = _NO_DIFFERENCE if towards_zero else 1e-9
    out = sums[-1] / np.maximum(amounts[-1], least)[..., None]
    for total, amount in zip(sums[-2::-1], amounts[-2::-1], strict=True):
        coarse = cv2.pyrUp(out, dstsize=(total.shape[1], total.shape[0]))
        known = np.minimum(amount * 4, 1)[..., None]
        out = known * total / np.maximum(amount, 1e-6)[..., None] + (1 - known) * coarse
    return np.asarray(out, np.float32)
