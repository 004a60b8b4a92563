r"""Heads as glTF: mesh without expression, morph targets with ARKit's names, texture, animation.

::

    scene -- head (rotation, translation, animated)
              mesh: positions in meters, y up, facing +z, x to the subject's left
                    52 morph targets, extras.targetNames, weights
                    material: the texture, lit (``KHR_materials_unlit`` is not used)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

import tddfa
from Sim3DR import get_normal
from tddfa.arkit52 import NAMES
from tddfa.blendshapes import Blendshapes
from tddfa.errors import InputError
from tddfa.export.glb import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, GlbBuilder
from tddfa.io.atomic import PathLike
from tddfa.model_files import turn_over
from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray
from tddfa.picture import ImageArray

METERS = np.float32(1e-3)
# Movements below this many mm are left out of files: they are smaller than a pixel of a face that
# fills the screen.
_LEAST_MM = 0.1
_JPEG_QUALITY = 92


@dataclass(frozen=True, eq=False)
class HeadMotion:
    """How a head moves, at times of its video.

    Attributes
    ----------
    times : ndarray, shape (n,), float32
        Seconds, rising, first one 0 or later.
    rotations : ndarray, shape (n, 4), float32
        Unit quaternions x, y, z, w, neighbors in the same half of their sphere.
    translations : ndarray, shape (n, 3), float32
        Meters.
    weights : ndarray, shape (n, 52), float32
        Coefficients in [0, 1] of ARKit's blendshapes.
    """

    times: FloatArray
    rotations: FloatArray
    translations: FloatArray
    weights: FloatArray


@dataclass(frozen=True, eq=False)
class Head:
    """What a file shows.

    Attributes
    ----------
    name : str
    vertices : ndarray, shape (N, 3), float32
        mm, y up, facing +z: identity without expression.
    texture : ndarray, shape (side, side, 3), uint8
        BGR, laid out by the face model's coordinates as `tddfa.drawing.uv.uv_tex` does.
    weights : ndarray, shape (52,), float32
        Expression at rest.
    motion : HeadMotion, optional
    """

    name: str
    vertices: FloatArray
    texture: ImageArray
    weights: FloatArray
    motion: HeadMotion | None = None


def neutral_vertices(model: MorphableModel, shape: npt.ArrayLike) -> FloatArray:
    """Return a person's face without expression, (N, 3) in the model's unit, from coefficients."""
    alpha = np.asarray(shape, np.float32)
    moved = model.w_shp[:, : len(alpha)].astype(np.float32) @ alpha
    return np.asarray((model.u[:, 0] + moved).reshape(-1, 3), np.float32)


def write_heads(
    path: PathLike, heads: Sequence[Head], model: MorphableModel, shapes: Blendshapes
) -> None:
    """Write heads, side by side in the order given, into one ``.glb`` file.

    Raises
    ------
    InputError
        If the model has no texture coordinates or other triangles than the blendshapes, or the
        file cannot be written.
    """
    if not shapes.belong_to(model):
        raise InputError("glb: expected the open face model, whose mesh the blendshapes belong to")
    uv = model.tri.uv
    if uv is None:
        raise InputError("glb: expected a face model with texture coordinates")
    file = GlbBuilder(f"tddfa {tddfa.__version__}")
    triangles = turn_over(model.tri)
    shared = {
        "uv": file.accessor(_texture_places(uv, heads[0].texture.shape[0]), ARRAY_BUFFER),
        "indices": file.accessor(triangles.reshape(-1), ELEMENT_ARRAY_BUFFER),
        "targets": [{"POSITION": _target(file, shapes, name)} for name in NAMES],
    }
    clamped = {"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}
    sampler = file.add("samplers", clamped)
    nodes = []
    for head in heads:
        material = _material(file, head, sampler)
        mesh = _mesh(file, head, triangles, shared, material)
        node = file.add("nodes", {"name": head.name, "mesh": mesh})
        nodes.append(node)
        if head.motion is not None:
            _animation(file, head.name, node, head.motion)
    if len(heads) > 1 and all(head.motion is None for head in heads):
        step = 1.25 * max(float(np.ptp(head.vertices[:, 0])) for head in heads) * METERS
        for rank, node in enumerate(nodes):
            file.document["nodes"][node]["translation"] = [float(rank * step), 0.0, 0.0]
    file.add("scenes", {"nodes": nodes})
    file.document["scene"] = 0
    file.write(path)


def _texture_places(uv: FloatArray, side: int) -> FloatArray:
    """Return glTF's coordinates: from edge to edge, v down; ours go between texels' centers."""
    places = (uv * (side - 1) + 0.5) / side
    places[:, 1] = 1 - places[:, 1]
    return np.asarray(places, np.float32)


def _target(file: GlbBuilder, shapes: Blendshapes, name: str) -> int:
    vertices, moves = shapes[name]
    far = np.linalg.norm(moves, axis=1) >= _LEAST_MM
    return file.sparse(shapes.n_vertices, vertices[far], moves[far] * METERS)


def _material(file: GlbBuilder, head: Head, sampler: int) -> int:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    done, data = cv2.imencode(".jpg", head.texture, quality)
    if not done:
        raise InputError("glb: encoding the texture failed")
    view = file.view(data.tobytes())
    image = file.add("images", {"bufferView": view, "mimeType": "image/jpeg"})
    texture = file.add("textures", {"source": image, "sampler": sampler})
    surface = {
        "baseColorTexture": {"index": texture},
        "metallicFactor": 0.0,
        "roughnessFactor": 0.9,
    }
    return file.add(
        "materials",
        {"name": f"{head.name} skin", "pbrMetallicRoughness": surface, "doubleSided": True},
    )


def _mesh(
    file: GlbBuilder,
    head: Head,
    triangles: npt.NDArray[np.int32],
    shared: dict[str, object],
    material: int,
) -> int:
    normals = get_normal(np.ascontiguousarray(head.vertices, np.float32), triangles)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 0.5, normals / np.maximum(length, 1e-9), [0, 0, 1])
    primitive = {
        "attributes": {
            "POSITION": file.accessor(head.vertices * METERS, ARRAY_BUFFER, bounds=True),
            "NORMAL": file.accessor(normals, ARRAY_BUFFER),
            "TEXCOORD_0": shared["uv"],
        },
        "indices": shared["indices"],
        "material": material,
        "targets": shared["targets"],
    }
    mesh = {
        "name": head.name,
        "primitives": [primitive],
        "weights": [round(float(weight), 5) for weight in head.weights],
        "extras": {"targetNames": list(NAMES)},
    }
    return file.add("meshes", mesh)


def _animation(file: GlbBuilder, name: str, node: int, motion: HeadMotion) -> None:
    times = file.accessor(motion.times, bounds=True)
    samplers: list[dict[str, object]] = []
    channels: list[dict[str, object]] = []
    for path, values in (
        ("rotation", motion.rotations),
        ("translation", motion.translations),
        ("weights", motion.weights.reshape(-1)),
    ):
        output = file.accessor(values)
        channels.append({"sampler": len(samplers), "target": {"node": node, "path": path}})
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})
    file.add("animations", {"name": name, "samplers": samplers, "channels": channels})
