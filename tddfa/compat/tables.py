"""Triangles that nobody knows get the tables of a face model with as many vertices."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tddfa.drawing.checks import as_triangles
from tddfa.known_tables import known_table, reference_tables, shipped_tables
from tddfa.topology import Topology


def with_tables(tri: npt.ArrayLike, faces: Sequence[npt.ArrayLike]) -> npt.ArrayLike:
    """Return triangles that carry a face model's tables, if they are not known as they are.

    The reference has one table for all triangles: ``pncc(img, ver_lst, tri[some])`` works there,
    whatever was cut out of ``tri``.

    Parameters
    ----------
    tri : array_like, shape (M, 3) or (3, M), int
        Triangles.
    faces : sequence of n arrays, shape (3, N)
        Vertices of each face.

    Returns
    -------
    array_like
        With code and texture coordinates of the face model that ships, or of the reference's in
        the asset folder. `tri` itself where it is known or brings tables of its own, and where no
        model fits.
    """
    if isinstance(tri, Topology) or known_table(tri, "ncc_code") is not None:
        return tri
    lengths = {np.shape(vertices)[-1] for vertices in faces if np.ndim(vertices)}
    for tables in (shipped_tables(), reference_tables()):
        code = None if tables is None else tables.found.get("ncc_code")
        if tables is not None and code is not None and lengths == {code.shape[-1]}:
            return Topology(as_triangles(tri), code, tables.found.get("uv"))
    return tri
