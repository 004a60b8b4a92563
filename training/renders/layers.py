"""Hair, brows, lashes: textured triangles with transparency, blended far ones first."""

import numpy as np
import numpy.typing as npt

from training.renders._layers import blend_triangles
from training.renders.meshes import TexturedMesh

FloatArray = npt.NDArray[np.float32]


def blend_layer(
    color: FloatArray,
    cover: FloatArray,
    depth: FloatArray,
    points: FloatArray,
    mesh: TexturedMesh,
    light: FloatArray,
    texture: npt.NDArray[np.uint8],
    slack: float,
) -> None:
    """Blend a mesh over a picture in linear light, in place.

    Parameters
    ----------
    color : ndarray, shape (H, W, 3), float32
        Linear light.
    cover : ndarray, shape (H, W), float32
        Opacity of all layers so far.
    depth : ndarray, shape (H, W), float32
        Of what is opaque; larger is nearer.
    points : ndarray, shape (V, 3), float32
        Pixels, larger z nearer.
    mesh : TexturedMesh
    light : ndarray, shape (V, 3), float32
        What the texture is multiplied by, linear.
    texture : ndarray, shape (h, w, 4), uint8
        In the order of `color`'s channels, alpha last. Values are squared: a close guess at linear.
    slack : float
        So far a surface may lie behind what is opaque.
    """
    order = np.argsort(points[mesh.triangles, 2].mean(axis=1), kind="stable")
    blend_triangles(
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(mesh.triangles[order], np.int32),
        np.ascontiguousarray(mesh.uv[order], np.float32),
        np.ascontiguousarray(light, np.float32),
        texture,
        np.ascontiguousarray(depth, np.float32),
        slack,
        color,
        cover,
    )
