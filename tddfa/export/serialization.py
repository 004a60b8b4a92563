"""Meshes as PLY and OBJ files.

The files are in a right-handed frame: x right, y **up** (picture height − y), z towards the viewer.
Turning y over mirrors the mesh, so the indices of each face are reversed to keep its outside out::

    picture (y down)            file (y up)
    0 ---> x                    y  2
    |  0---1                    |  |  \
    y  | /                      |  0---1      0 1 2 is written as 2 1 0
       2                        0 ---> x
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.drawing.checks import FloatArray, IntArray, as_faces, as_picture, as_triangles
from tddfa.drawing.sampling import nearest_colors
from tddfa.errors import InputError
from tddfa.export.text_format import format_indices, format_rows
from tddfa.export.textured_obj import write_textured_obj
from tddfa.io.atomic import PathLike, atomic_write
from tddfa.picture import ImageArray

PLY_HEADER = """ply
format {form} 1.0
element vertex {n_vertices}
property float x
property float y
property float z
element face {n_faces}
property list uchar int vertex_indices
end_header
"""


def _meshes(
    ver_lst: Iterable[npt.ArrayLike], tri: npt.ArrayLike, height: int, reverse: bool = True
) -> tuple[list[FloatArray], IntArray]:
    """Return the vertices (N, 3) of each face with y up, and the triangles in file order."""
    faces = as_faces(ver_lst)
    if len({vertices.shape for vertices in faces}) > 1:
        raise InputError("ver_lst: expected faces of the same number of vertices")
    if not all(np.isfinite(vertices).all() for vertices in faces):
        raise InputError("ver_lst: expected finite vertices, found NaN or infinity")
    triangles = as_triangles(tri, faces[0].shape[1] if faces else None)
    flipped = []
    for vertices in faces:
        rows = np.array(vertices.T, order="C")
        rows[:, 1] = np.float32(height) - rows[:, 1]
        flipped.append(rows)
    return flipped, triangles[:, ::-1] if reverse else triangles


def ser_to_ply(
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    height: int,
    wfp: PathLike,
    reverse: bool = True,
    *,
    binary: bool = False,
) -> None:
    """Write all faces of a picture into one PLY file.

    Without a face the file is valid and empty: no vertex, no triangle.

    Parameters
    ----------
    ver_lst : list of n arrays, shape (3, N), float32
        Vertices of each face in picture coordinates (pixels, y down, larger z nearer).
    tri : ndarray, shape (M, 3), int32
        Triangles, indices from 0.
    height : int
        Height of the picture in pixels; y is written as height − y.
    wfp : path-like
        File to write.
    reverse : bool
        Reverse the indices of each triangle, which keeps its outside out.
    binary : bool
        Little-endian float32 and int32 instead of text with two decimals.

    Raises
    ------
    InputError
        If a vertex is not finite, an index is wrong or the file cannot be written.
    """
    meshes, triangles = _meshes(ver_lst, tri, height, reverse)
    n_vertices = len(meshes[0]) if meshes else 0
    header = PLY_HEADER.format(
        form="binary_little_endian" if binary else "ascii",
        n_vertices=n_vertices * len(meshes),
        n_faces=len(triangles) * len(meshes),
    ).encode()
    chunks: list[bytes | memoryview] = [header]
    if binary:
        rows = np.empty(len(triangles), [("count", "u1"), ("indices", "<i4", 3)])
        rows["count"] = 3
        chunks += [vertices.astype("<f4", copy=False).tobytes() for vertices in meshes]
        for k in range(len(meshes)):
            rows["indices"] = triangles + k * n_vertices
            chunks.append(rows.tobytes())
    else:
        chunks += [format_rows(vertices) for vertices in meshes]
        chunks += [format_indices(triangles, b"3 ", k * n_vertices) for k in range(len(meshes))]
    with atomic_write(wfp) as file:
        file.writelines(chunks)


def _vertex_rows(mesh: FloatArray, vertices: FloatArray, img: ImageArray) -> FloatArray:
    """Return x y z r g b of each vertex: the mesh's coordinates, the nearest pixel's color."""
    rows = np.empty((len(mesh), 6), np.float32)
    rows[:, :3] = mesh
    rows[:, 3:] = nearest_colors(img, vertices[0], vertices[1])[:, ::-1]
    rows[:, 3:] /= 255
    return rows


def ser_to_obj(
    img: npt.ArrayLike,
    ver_lst: Iterable[npt.ArrayLike],
    tri: npt.ArrayLike,
    height: int,
    wfp: PathLike,
    *,
    uv: npt.ArrayLike | None = None,
    texture: npt.ArrayLike | None = None,
    shapes: Iterable[npt.ArrayLike] | None = None,
) -> None:
    """Write all faces of a picture into one OBJ file with the picture's colors.

    Each vertex line is ``v x y z r g b``, with two decimals and the color in [0, 1] of the nearest
    pixel. With `texture`, a material file and the texture as PNG are written beside it. Without a
    face the file is valid and empty, a comment alone, and nothing is written beside it.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    ver_lst : list of n arrays, shape (3, N), float32
        Vertices of each face in picture coordinates (pixels, y down, larger z nearer).
    tri : ndarray, shape (M, 3), int32
        Triangles, indices from 0.
    height : int
        Height of the picture in pixels; y is written as height − y.
    wfp : path-like
        File to write; with a texture also ``.mtl`` and ``.png`` of the same stem.
    uv : array_like, shape (N, 2), optional
        Texture coordinates in [0, 1], v up; ``tri.uv`` if left out. Used with `texture` only.
    texture : ndarray, shape (h, n·w, 3), uint8, optional
        BGR textures of the n faces side by side, as `tddfa.drawing.uv.uv_tex` returns them.
    shapes : list of n arrays, shape (3, N), float32, optional
        Vertices to write in place of `ver_lst`, which then says where in the picture their colors
        are, such as `tddfa.frontal.frontal_vertices`.

    Raises
    ------
    InputError
        If a vertex is not finite, an array has a wrong shape or a file cannot be written.
    """
    picture = as_picture(img)
    faces = as_faces(ver_lst)
    meshes, triangles = _meshes(faces if shapes is None else shapes, tri, height)
    if not meshes:
        with atomic_write(wfp) as file:
            file.write(b"# no face\n")
        return
    if [mesh.shape[::-1] for mesh in meshes] != [face.shape for face in faces]:
        raise InputError("shapes: expected as many faces and vertices as in ver_lst")
    vertex_chunks = [
        format_rows(_vertex_rows(mesh, vertices, picture), b"v ")
        for mesh, vertices in zip(meshes, faces, strict=True)
    ]
    n_vertices = len(meshes[0])
    textured = texture is not None
    face_chunks = [
        format_indices(triangles, b"f ", 1 + k * n_vertices, paired=textured)
        for k in range(len(meshes))
    ]
    if texture is not None:
        coordinates = (uv, tri, n_vertices)
        write_textured_obj(Path(wfp), vertex_chunks, face_chunks, coordinates, texture)
        return
    with atomic_write(wfp) as file:
        file.writelines(vertex_chunks + face_chunks)
