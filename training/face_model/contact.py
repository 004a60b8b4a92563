"""Close the two sides of a slit (lips, lids) and spread the change smoothly over the skin around.

The slit is a closed loop of vertices with two corners. Each vertex of one side meets the point of
the other side at the same share of its length; the displacement dies out at a given distance as the
smoothest field there is (least squared Laplacian). Everything is linear in the vertices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class Slit:
    """Two sides of a slit.

    Attributes
    ----------
    upper, lower : (k,), (l,) int64
        Vertex indices from the right corner to the left one, corners included in both.
    across_upper, across_lower : csr_matrix (k, n), (l, n)
        Rows that pick the opposite point of the other side.
    """

    upper: np.ndarray
    lower: np.ndarray
    across_upper: sp.csr_matrix
    across_lower: sp.csr_matrix

    def gap(self, x: np.ndarray) -> np.ndarray:
        """Return upper minus opposite lower points, (k, 3)."""
        return x[self.upper] - self.across_upper @ x


def make_slit(loop: np.ndarray, x: np.ndarray) -> Slit:
    """Split a closed loop at its outermost vertices and pair its sides on the shape ``x``."""
    k0 = int(np.argmin(x[loop, 0]))
    loop = np.roll(loop, -k0)
    k1 = int(np.argmax(x[loop, 0]))
    one, two = loop[: k1 + 1], np.r_[loop[0], loop[k1:][::-1]]
    upper, lower = (one, two) if x[one, 1].mean() > x[two, 1].mean() else (two, one)

    def share(side: np.ndarray) -> np.ndarray:
        s = np.r_[0, np.cumsum(np.linalg.norm(np.diff(x[side], axis=0), axis=1))]
        return s / s[-1]

    def across(side: np.ndarray, other: np.ndarray) -> sp.csr_matrix:
        s, t = share(side), share(other)
        k = np.clip(np.searchsorted(t, s, side="right") - 1, 0, len(other) - 2)
        w = (s - t[k]) / (t[k + 1] - t[k])
        rows = np.arange(len(side))
        return sp.csr_matrix(
            (np.r_[1 - w, w], (np.r_[rows, rows], np.r_[other[k], other[k + 1]])),
            shape=(len(side), len(x)),
        )

    return Slit(upper, lower, across(upper, lower), across(lower, upper))


def spreading(
    loop: np.ndarray, triangles: np.ndarray, x: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (vertices (f,), weights (f, len(loop))) that spread displacements of ``loop``.

    ``reach`` is the distance, in the unit of ``x``, at which the displacement has died out.
    """
    n = len(x)
    near = cKDTree(x[loop]).query(x)[0] < reach
    near[loop] = False
    free = np.flatnonzero(near)
    edges = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1), axis=0)
    i, j = edges.T
    w = 1 / np.linalg.norm(x[i] - x[j], axis=1)
    graph = sp.csr_matrix((np.r_[w, w], (np.r_[i, j], np.r_[j, i])), shape=(n, n))
    mean = sp.diags(1 / np.asarray(graph.sum(1)).ravel()) @ graph
    laplace = (sp.identity(n) - mean).tocsr()
    squared = (laplace.T @ laplace).tocsr()
    solve = splu(squared[free][:, free].tocsc())
    return np.r_[free, loop], np.vstack(
        [-solve.solve(squared[free][:, loop].toarray()), np.eye(len(loop))]
    )


def closing_operator(
    slit: Slit, triangles: np.ndarray, x: np.ndarray, reach: float, upper_share: float
) -> sp.csr_matrix:
    """Return C (n, n) such that C @ vertices has the slit closed.

    ``upper_share`` is the part of the way that the upper side moves.
    """
    n = len(x)
    inner_upper, inner_lower = slice(1, len(slit.upper) - 1), slice(1, len(slit.lower) - 1)
    loop = np.r_[slit.upper[inner_upper], slit.lower[inner_lower]]

    def pick(ids: np.ndarray) -> sp.csr_matrix:
        return sp.csr_matrix((np.ones(len(ids)), (np.arange(len(ids)), ids)), shape=(n, n))[
            : len(ids)
        ]

    pull = sp.vstack(
        [
            upper_share * (slit.across_upper - pick(slit.upper))[inner_upper],
            (1 - upper_share) * (slit.across_lower - pick(slit.lower))[inner_lower],
        ]
    ).tocsr()
    rows, weights = spreading(loop, triangles, x, reach)
    change = sp.csr_matrix(weights) @ pull
    place = sp.csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(n, len(rows)))
    return (sp.identity(n) + place @ change).tocsr()
