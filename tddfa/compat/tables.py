"""Tables of a face model by the number of its vertices, for triangles that nobody knows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.known_tables import known_table, reference_tables, shipped_tables


def table_by_length(
    tri: npt.ArrayLike, faces: Sequence[npt.ArrayLike], name: str
) -> npt.NDArray[Any] | None:
    """Return the table of a face model with as many vertices as the faces have.

    The reference has one table for all triangles: ``pncc(img, ver_lst, tri[some])`` works there,
    whatever was cut out of ``tri``.

    Parameters
    ----------
    tri : array_like, shape (M, 3) or (3, M), int
        Triangles.
    faces : sequence of n arrays, shape (3, N)
        Vertices of each face.
    name : {'ncc_code', 'uv'}
        Which table.

    Returns
    -------
    ndarray, shape (3, N) or (N, 2), or None
        That of the face model that ships, or of the reference's in the asset folder. None where
        the triangles are known or bring a table of their own, and where no model fits.
    """
    if getattr(tri, name, None) is not None or known_table(tri, name) is not None:
        return None
    lengths = {np.shape(vertices)[-1:] for vertices in faces}
    for tables in (shipped_tables(), reference_tables()):
        table = None if tables is None else tables.found.get(name)
        if table is not None and lengths == {(max(table.shape),)}:
            return table
    return None
