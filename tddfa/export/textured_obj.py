"""The texture of an OBJ file: texture coordinates, material file and PNG."""

import contextlib
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.drawing.checks import FloatArray, as_picture, model_table
from tddfa.errors import InputError
from tddfa.export.text_format import format_rows
from tddfa.io.atomic import atomic_write
from tddfa.picture import ImageArray

MATERIAL = """newmtl {name}
Ka 1 1 1
Kd 1 1 1
Ks 0 0 0
illum 1
map_Kd {texture}
"""


# Pixels that the texture is continued beyond the mesh's outline.
_PADDING = 3


def atlas_coordinates(uv: FloatArray, size: tuple[int, int], face: int, n_faces: int) -> FloatArray:
    """Return OBJ texture coordinates of one of the faces that lie side by side in a texture.

    `uv_tex` puts coordinate 0 at the center of the first pixel and 1 at that of the last one; OBJ
    counts from edge to edge, from the lower left corner.

    Parameters
    ----------
    uv : ndarray, shape (N, 2)
        Coordinates in [0, 1], v up.
    size : (int, int)
        Height and width in pixels of one face's texture.
    face, n_faces : int
        Which of how many.
    """
    height, width = size
    out = np.empty_like(uv)
    out[:, 0] = (uv[:, 0] * (width - 1) + 0.5 + face * width) / (n_faces * width)
    out[:, 1] = (uv[:, 1] * (height - 1) + 0.5) / height
    return out


def pad_seams(texture: ImageArray) -> ImageArray:
    """Continue the texture of one face a little beyond the mesh's outline.

    Otherwise a viewer, interpolating, would mix the black ground into the outermost triangles.
    """
    out = texture.copy()
    covered = np.asarray(out.any(axis=2), np.float32)
    for _ in range(_PADDING):
        weight = cv2.blur(covered, (3, 3), borderType=cv2.BORDER_CONSTANT)
        ring = (covered == 0) & (weight > 1e-3)
        mixed = cv2.blur(out.astype(np.float32), (3, 3), borderType=cv2.BORDER_CONSTANT)
        out[ring] = np.rint(mixed[ring] / weight[ring][:, None])
        covered[ring] = 1
    return out


def companions(wfp: Path) -> tuple[Path, Path]:
    """Return the ``.mtl`` and ``.png`` that belong to a textured OBJ file of this name."""
    # Many readers of OBJ end a file name at the first space.
    stem = re.sub(r"\s+", "_", wfp.stem)
    return wfp.with_name(f"{stem}.mtl"), wfp.with_name(f"{stem}.png")


def write_textured_obj(
    wfp: Path,
    vertex_chunks: list[memoryview],
    face_chunks: list[memoryview],
    coordinates: tuple[Any, Any, int],
    texture: npt.ArrayLike,
) -> None:
    """Write the OBJ file and, beside it, ``.mtl`` and ``.png``; one material per face.

    The files appear together, the OBJ file last, so that it never names a file that is missing.

    Parameters
    ----------
    wfp : Path
        The OBJ file.
    vertex_chunks, face_chunks : lists of bytes
        Lines ``v …`` and ``f …`` of each face.
    coordinates : (uv or None, tri, number of vertices)
        Arguments of `tddfa.drawing.checks.model_table`.
    texture : ndarray, shape (h, n·w, 3), uint8
        BGR textures of the n faces side by side.

    Raises
    ------
    InputError
        If the texture or its coordinates have a wrong shape or a file cannot be written.
    """
    n_faces = len(face_chunks)
    picture = as_picture(texture)
    height, width = picture.shape[0], picture.shape[1] // n_faces
    if width * n_faces != picture.shape[1]:
        raise InputError(f"texture: expected {n_faces} textures side by side, got {picture.shape}")
    uv, tri, n_vertices = coordinates
    table = model_table(uv, tri, "uv", 2, n_vertices)
    if wfp.suffix.lower() in (".mtl", ".png"):
        raise InputError(f"cannot write {wfp}: expected a name ending in .obj")
    mtl, png = companions(wfp)
    maps = [pad_seams(picture[:, k * width : (k + 1) * width]) for k in range(n_faces)]
    names = [f"face_{k + 1}" for k in range(n_faces)]
    done, encoded = cv2.imencode(".png", np.concatenate(maps, axis=1))
    if not done:
        raise InputError(f"cannot write {png}: encoding the texture failed")
    with contextlib.ExitStack() as stack:
        # Closed, and so renamed, in reverse order.
        obj_file, mtl_file, png_file = (
            stack.enter_context(atomic_write(path)) for path in (wfp, mtl, png)
        )
        png_file.write(encoded.data)
        materials = (MATERIAL.format(name=name, texture=png.name) for name in names)
        mtl_file.write("\n".join(materials).encode())
        obj_file.write(f"mtllib {mtl.name}\n".encode())
        obj_file.writelines(vertex_chunks)
        for k in range(n_faces):
            rows = atlas_coordinates(table, (height, width), k, n_faces)
            obj_file.write(format_rows(rows, b"vt ", decimals=6))
        for name, chunk in zip(names, face_chunks, strict=True):
            obj_file.write(f"usemtl {name}\n".encode())
            obj_file.write(chunk)
