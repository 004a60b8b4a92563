"""The fine mesh as a linear function of MakeHuman's vertices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from training.face_model.cage import build_cage
from training.face_model.contact import Slit, closing_operator, make_slit
from training.face_model.makehuman import BaseMesh, load_base
from training.face_model.surface import Surface, build_surface


@dataclass(frozen=True)
class Geometry:
    """Fine mesh as a closed-lipped linear function of MakeHuman's kept vertices.

    Attributes
    ----------
    base : BaseMesh
    surface : Surface
    ids : (b,) int64
        MakeHuman vertices that matter.
    mirror : (b,) int64
        Mirror partners among them.
    position, bulge : csr_matrix (n, b)
        As in `Surface`, over ``ids`` and with the lips closed.
    lips : Slit
    lids : tuple of Slit
        Right and left.
    """

    base: BaseMesh
    surface: Surface
    ids: np.ndarray
    mirror: np.ndarray
    position: sp.csr_matrix
    bulge: sp.csr_matrix
    lips: Slit
    lids: tuple[Slit, Slit]

    def displace(self, x: np.ndarray) -> np.ndarray:
        """Fine displacements (n, 3) of displacements (b, 3), lips kept closed."""
        out = self.position @ x
        out[:, 2] += self.bulge @ x[:, 1]
        return out

    def metric(self, weight: np.ndarray) -> sp.csr_matrix:
        """Return B (3b, 3b): d' B d is the weighted sum of squared fine displacements of d."""
        w = sp.diags(weight)
        p, b = self.position, self.bulge
        cross = b.T @ w @ p

        def unit(i: int, j: int) -> sp.csr_matrix:
            return sp.csr_matrix(([1.0], ([i], [j])), shape=(3, 3))

        return (
            sp.kron(p.T @ w @ p, sp.identity(3))
            + sp.kron(b.T @ w @ b, unit(1, 1))
            + sp.kron(cross, unit(1, 2))
            + sp.kron(cross.T, unit(2, 1))
        ).tocsr()


def build_geometry(data: Path) -> Geometry:
    """Read MakeHuman's mesh and make the fine mesh."""
    base = load_base(data)
    surface = build_surface(base, build_cage(base))
    x = surface.place(base.vertices)
    lips = make_slit(surface.lips, x)
    close = closing_operator(lips, surface.triangles, x, reach=0.30, upper_share=0.4)
    ids = np.flatnonzero(np.asarray(abs(surface.position).sum(0)).ravel() > 0)
    local = np.full(len(base.vertices), -1)
    local[ids] = np.arange(len(ids))
    return Geometry(
        base=base,
        surface=surface,
        ids=ids,
        mirror=local[base.mirror[ids]],
        position=(close @ surface.position[:, ids]).tocsr(),
        bulge=(close @ surface.bulge[:, ids]).tocsr(),
        lips=lips,
        lids=(make_slit(surface.lids[0], x), make_slit(surface.lids[1], x)),
    )
