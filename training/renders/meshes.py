"""Meshes with texture coordinates, and clothes bound to MakeHuman's base mesh."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TexturedMesh:
    """Triangles with a texture coordinate at every corner.

    Attributes
    ----------
    triangles : ndarray, shape (m, 3), int32
    uv : ndarray, shape (m, 3, 2), float32
        In [0, 1], v up.
    """

    triangles: npt.NDArray[np.int32]
    uv: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Obj:
    """What a Wavefront file holds.

    Attributes
    ----------
    vertices : ndarray, shape (n, 3)
    uv : ndarray, shape (t, 2)
    quads, quad_uv : dict of group -> ndarray (q, 4)
        Vertex and texture indices; a triangle repeats its last corner.
    """

    vertices: Array
    uv: Array
    quads: dict[str, npt.NDArray[np.int64]]
    quad_uv: dict[str, npt.NDArray[np.int64]]


def read_obj(path: Path) -> Obj:
    """Read a Wavefront file of triangles and quads.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    quads: dict[str, list[list[int]]] = {}
    quad_uv: dict[str, list[list[int]]] = {}
    group = ""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            head, *rest = line.split() or [""]
            if head == "v":
                vertices.append([float(x) for x in rest[:3]])
            elif head == "vt":
                uv.append([float(x) for x in rest[:2]])
            elif head == "g" and rest:
                group = rest[0]
            elif head == "f":
                corners = [c.split("/") for c in rest[:4]]
                corners += corners[-1:] * (4 - len(corners))
                quads.setdefault(group, []).append([int(c[0]) - 1 for c in corners])
                quad_uv.setdefault(group, []).append([int(c[1]) - 1 for c in corners])
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"'{path}': expected a Wavefront mesh") from error
    return Obj(
        np.array(vertices),
        np.array(uv),
        {key: np.array(value) for key, value in quads.items()},
        {key: np.array(value) for key, value in quad_uv.items()},
    )


def split_quads(
    quads: npt.NDArray[np.integer], corner_uv: npt.NDArray[np.floating]
) -> TexturedMesh:
    """Return the triangles of quads (q, 4) with texture coordinates (q, 4, 2)."""
    pick = np.array([[0, 1, 2], [0, 2, 3]])
    triangles, uv = quads[:, pick].reshape(-1, 3), corner_uv[:, pick].reshape(-1, 3, 2)
    real = triangles[:, 1] != triangles[:, 2]
    return TexturedMesh(triangles[real].astype(np.int32), uv[real].astype(np.float32))


@dataclass(frozen=True)
class Attachment:
    """A mesh that follows the base mesh: each vertex a mix of three of its vertices, and an offset.

    Attributes
    ----------
    name : str
    mesh : TexturedMesh
    corners : ndarray, shape (n, 3), int
        Vertices of the base mesh.
    weights, offset : ndarray, shape (n, 3)
    scale : ndarray, shape (3, 2), int, and divisor : ndarray, shape (3,)
        Per axis the two base vertices whose distance scales the offset, and what divides it.
    """

    name: str
    mesh: TexturedMesh
    corners: npt.NDArray[np.int64]
    weights: Array
    offset: Array
    scale: npt.NDArray[np.int64]
    divisor: Array

    def place(self, base: Array) -> Array:
        """Return the vertices (n, 3) for base vertices (19158, 3)."""
        spans = [abs(base[a, k] - base[b, k]) for k, (a, b) in enumerate(self.scale)]
        size = np.array(spans) / self.divisor
        mixed = np.einsum("nc,nck->nk", self.weights, base[self.corners])
        return np.asarray(mixed + self.offset * size)

    @property
    def used(self) -> npt.NDArray[np.int64]:
        """Base vertices that it follows."""
        return np.unique(np.r_[self.corners.ravel(), self.scale.ravel()])


def read_attachment(path: Path) -> Attachment:
    """Read a ``.mhclo`` and the mesh beside it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    scale, divisor = np.zeros((3, 2), np.int64), np.ones(3)
    rows, listing, mesh = [], False, ""
    try:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            head, *rest = line.split() or [""]
            if head == "obj_file":
                mesh = rest[0]
            elif head in ("x_scale", "y_scale", "z_scale"):
                axis = "xyz".index(head[0])
                scale[axis], divisor[axis] = [int(rest[0]), int(rest[1])], float(rest[2])
            elif head == "verts":
                listing = True
            elif listing and head.lstrip("-").isdigit():
                numbers = [float(x) for x in (head, *rest)]
                if len(numbers) == 1:
                    numbers = [numbers[0]] * 3 + [1, 0, 0, 0, 0, 0]
                rows.append(numbers[:9])
            elif listing and rows and head and not head.startswith("#"):
                listing = False
        table = np.array(rows)
        obj = read_obj(path.with_name(mesh))
        quads = np.concatenate(list(obj.quads.values()))
        uv = obj.uv[np.concatenate(list(obj.quad_uv.values()))]
        if len(table) != len(obj.vertices):
            raise ValueError("another number of vertices")
        corners, weights = table[:, :3].astype(np.int64), table[:, 3:6]
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"'{path}': expected an asset of MakeHuman") from error
    return Attachment(
        path.stem, split_quads(quads, uv), corners, weights, table[:, 6:9], scale, divisor
    )
