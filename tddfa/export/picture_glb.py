"""The faces of a picture as a glTF file."""

from pathlib import Path

import numpy as np

from tddfa.blendshapes import ExpressionFit, load_blendshapes
from tddfa.drawing.texture import face_texture
from tddfa.drawing.texture_map import TextureMap
from tddfa.errors import InputError
from tddfa.export.head_glb import Head, neutral_vertices, write_heads
from tddfa.frame import Frame
from tddfa.params import split_params

TEXTURE_SIDE = 1024


def write_picture_glb(
    frame: Frame, path: Path, *, side: int = TEXTURE_SIDE, n_threads: int = 1
) -> None:
    """Write each face of a picture as a textured head that looks straight ahead.

    The mesh is the face without expression; the picture's expression is the weights of the morph
    targets: `Face.blendshapes`, or a fit to the mesh's expression.

    Raises
    ------
    InputError
        If the face model is not the open one, or the file cannot be written.
    """
    model, shapes = frame.model, load_blendshapes()
    if not shapes.belong_to(model):
        raise InputError("glb: expected the open face model, whose mesh the blendshapes belong to")
    unrolled = TextureMap.of_model(model, side, n_threads)
    fit = ExpressionFit.of(shapes, model)
    order = np.argsort([float(face.landmarks[0].mean()) for face in frame.faces], kind="stable")
    vertices, heads = frame.vertices, []
    for rank, number in enumerate(order, 1):
        face = frame.faces[number]
        weights = face.blendshapes if face.blendshapes is not None else fit(face.param)[0]
        heads.append(
            Head(
                f"head {rank}" if len(order) > 1 else "head",
                neutral_vertices(model, split_params(face.param).shape[:, 0]),
                face_texture(frame.image, vertices[number], model.tri, unrolled),
                weights,
            )
        )
    write_heads(path, heads, model, shapes)
