"""Catmull-Clark subdivision as a sparse matrix.

One matrix carries mean and bases alike from the cage to the fine mesh, because
every new vertex is a fixed mix of old ones (Catmull and Clark 1978; cubic B-spline on the rim).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Refinement:
    """One level of subdivision.

    Attributes
    ----------
    operator : csr_matrix (n_new, n_old)
        New vertices = operator @ old vertices; rows are ordered old vertices, edges, faces.
    quads : (n_corners, 4) int64
        New faces: corner vertex, next edge's point, face's point, previous edge's point.
    parent : (n_corners,) int64
        The old face that each new quad lies in.
    """

    operator: sp.csr_matrix
    quads: np.ndarray
    parent: np.ndarray


def catmull_clark(faces: list[tuple[int, ...]], n: int) -> Refinement:
    """Subdivide polygons over ``n`` vertices once."""
    length = np.array([len(f) for f in faces])
    vertex = np.concatenate([np.array(f) for f in faces])
    face = np.repeat(np.arange(len(faces)), length)
    start = np.repeat(np.cumsum(length) - length, length)
    within = np.arange(len(vertex)) - start
    following = start + (within + 1) % length[face]
    previous = start + (within - 1) % length[face]

    ends = np.sort(np.stack([vertex, vertex[following]], 1), axis=1)
    edges, edge = np.unique(ends, axis=0, return_inverse=True)
    edge = edge.ravel()
    n_edges, n_faces = len(edges), len(faces)
    uses = np.bincount(edge, minlength=n_edges)
    if uses.max() > 2:
        raise ValueError("the cage has an edge with more than two faces")

    face_points = sp.csr_matrix((1 / length[face], (face, vertex)), shape=(n_faces, n))

    inner = uses == 2
    half = np.where(inner, 0.25, 0.5)
    rows = np.arange(n_edges)
    from_ends = sp.csr_matrix(
        (np.r_[half, half], (np.r_[rows, rows], edges.T.ravel())), shape=(n_edges, n)
    )
    use = inner[edge]
    from_faces = sp.csr_matrix(
        (np.full(use.sum(), 0.25), (edge[use], face[use])), shape=(n_edges, n_faces)
    )
    edge_points = from_ends + from_faces @ face_points

    rim = np.zeros(n, bool)
    rim[edges[~inner]] = True
    valence = np.bincount(edges.ravel(), minlength=n)
    scale = np.where(rim | (valence == 0), 0, 1 / np.maximum(valence, 1) ** 2)
    a, b = edges.T
    neighbors = sp.csr_matrix((np.r_[scale[a], scale[b]], (np.r_[a, b], np.r_[b, a])), shape=(n, n))
    around = sp.csr_matrix((scale[vertex], (vertex, face)), shape=(n, n_faces))
    a, b = edges[~inner].T
    along_rim = sp.csr_matrix(
        (np.full(2 * len(a), 0.125), (np.r_[a, b], np.r_[b, a])), shape=(n, n)
    )
    own = sp.diags(np.where(rim, 0.75, 1 - 2 / np.maximum(valence, 1)))
    vertex_points = own + neighbors + around @ face_points + along_rim

    quads = np.stack([vertex, n + edge, n + n_edges + face, n + edge[previous]], 1)
    operator = sp.vstack([vertex_points, edge_points, face_points]).tocsr()
    return Refinement(operator, quads, face)
