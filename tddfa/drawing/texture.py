r"""A face's whole texture: what a picture shows of it, and good guesses where it shows nothing.

::

    picture + mesh        what is seen         mirrored where        the rest, smoothly
                          (z-buffer, not       the other half is     from its surroundings
      .---.               edge-on, not at      seen, light adapted
     (o  o )     ->       the outline)    ->   at the border     ->
      \ > /                 ##..              ####                  ####
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from Sim3DR import get_normal, rasterize_triangles
from tddfa.drawing.sampling import bilinear_colors
from tddfa.drawing.texture_completion import complete_texture
from tddfa.drawing.texture_map import SeenTexture, TextureMap
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
# Side of the drawing in which the distance to the outline is measured.
_SIDE = 256


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
